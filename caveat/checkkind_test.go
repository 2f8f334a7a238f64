package caveat_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// The error for a misspelled kind lists the known kinds.
func TestMisspelledKindIsRejected(t *testing.T) {
	v := vocabulary(t, projectKind, always("tenant"))
	_, err := v.New("projct", "42")
	e := requireInvalid(t, err)
	assert.Contains(t, e.Description, `which has "project", "tenant"`)
	_, err = (*caveat.Vocabulary)(nil).New("project", "42")
	assert.Contains(t, requireInvalid(t, err).Description, "which has none")
}

// A kind that the verification left undecided is decided later, with the
// context at that time.
func TestCheckKindDecidesAtUse(t *testing.T) {
	v := vocabulary(t, projectKind, always("tenant"))
	cs := []string{"interface = rest", "project = 42", "project = 42"}
	at42 := inProject(t.Context(), "42")
	for _, c := range []struct {
		name string
		ctx  context.Context
		cs   []string
		kind caveat.Type
		id   errors.ID // "" if it holds
	}{
		{"the value", at42, cs, "project", ""},
		{"another value", inProject(t.Context(), "43"), cs, "project", errors.IDTokenCaveatUnverified},
		{"no value", t.Context(), cs, "project", errors.IDTokenCaveatUnverified},
		{"all of them", at42, append(cs, "project = 43"), "project", errors.IDTokenCaveatUnverified},
		{"another kind", t.Context(), cs, "tenant", ""},
		{"no such caveat", at42, nil, "project", ""},
		{"unknown caveat", at42, []string{"x = y", "project = 42"}, "project", errors.IDTokenCaveatUnknown},
		{"a kind of Onezone", at42, cs, caveat.TypeInterface, errors.IDTokenCaveatUnverified},
	} {
		err := v.ParseList(c.cs).CheckKind(c.ctx, c.kind, &caveat.Request{})
		if c.id == "" {
			assert.NoError(t, err, c.name)
			continue
		}
		e, ok := errors.AsType[*errors.Error](err)
		require.True(t, ok, c.name)
		assert.Equal(t, errors.IDUnauthorized, e.ID, c.name)
		assert.ErrorIs(t, err, c.id, c.name)
	}
	err := v.ParseList(cs).CheckKind(t.Context(), "project", nil)
	assert.ErrorIs(t, err, errDown, "the cause is kept")
}

// A misspelled kind must not be treated as a kind without caveats.
func TestCheckKindRejectsUnknownKinds(t *testing.T) {
	for _, v := range []*caveat.Vocabulary{nil, {}, vocabulary(t, projectKind)} {
		err := v.ParseList(nil).CheckKind(t.Context(), "projct", nil)
		require.Error(t, err)
		_, catalogued := errors.AsType[*errors.Error](err)
		assert.False(t, catalogued, "a mistake of the program is no verdict on a token")
		assert.Contains(t, err.Error(), `"projct" is not in the vocabulary`)
	}
}
