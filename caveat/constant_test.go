package caveat_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestConstantText(t *testing.T) {
	testCanonical(t, []canonical{
		{text: "interface = rest", value: caveat.REST, json: `{"type":"interface","interface":"rest"}`},
		{text: "interface = oneclient", value: caveat.Oneclient, json: `{"type":"interface","interface":"oneclient"}`},
		{text: "interface = graphsync", value: caveat.GraphSync, json: `{"type":"interface","interface":"graphsync"}`},
		{text: "authorization = none", value: caveat.IdentityOnly{}, json: `{"scope":"identityToken"}`},
		{text: "data.readonly", value: caveat.DataReadonly{}, json: `{"type":"data.readonly"}`},
	})
	unknownTexts(t,
		"interface", "interface =", "interface = ", "interface = gui", "interface = REST", "interface = rest ",
		"interface = unknown", "interface = rest|oneclient", "interface != rest", "interface =rest",
		"authorization", "authorization = ", "authorization = all", "authorization = none ", "authorization = None",
		"authorization =  none", "authorization != none", "authorization = none|none",
		"data.readonly ", " data.readonly", "data.readonly = true", "data.readOnly", "data.readonly\n", "data.readonly|")
}

func TestInterfaceHoldsWhereItIsKnownAndTheSame(t *testing.T) {
	all := []caveat.Interface{caveat.REST, caveat.Oneclient, caveat.GraphSync}
	for _, demanded := range all {
		for _, actual := range all {
			holds(t, demanded == actual, demanded.String(), &caveat.Request{Interface: actual})
		}
		holds(t, false, demanded.String(), &caveat.Request{DataAccess: true})
		got, err := caveat.ParseInterface(demanded.Name())
		require.NoError(t, err)
		assert.Equal(t, demanded, got)
	}
	err := caveat.Check(t.Context(), caveat.Interface(0), &caveat.Request{})
	requireUnverified(t, err, caveat.Interface(0))
}

func TestInterfaceOutsideTheConstants(t *testing.T) {
	for _, i := range []caveat.Interface{0, 4, 255} {
		assert.Equal(t, "unknown", i.Name())
		requireInvalid(t, caveat.Validate(i))
	}
	for _, name := range []string{"", "unknown", "Rest"} {
		_, err := caveat.ParseInterface(name)
		require.ErrorIs(t, err, errors.IDBadValueNotAllowed)
	}
}

func TestIdentityOnlyHoldsWhereAnIdentityIsProved(t *testing.T) {
	holds(t, true, "authorization = none", &caveat.Request{ProveIdentity: true})
	holds(t, false, "authorization = none", &caveat.Request{DataAccess: true})
}

func TestDataCaveatsHoldWhereTheyAreAllowed(t *testing.T) {
	for _, text := range []string{"data.readonly", "data.path = L3Mx", "data.objectid = 00"} {
		holds(t, true, text, &caveat.Request{DataAccess: true})
		holds(t, false, text, &caveat.Request{ProveIdentity: true, Interface: caveat.Oneclient})
	}
	holds(t, true, "interface = oneclient", &caveat.Request{Interface: caveat.Oneclient})
}
