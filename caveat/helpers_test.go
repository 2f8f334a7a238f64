package caveat_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// now is the time of the requests in these tests.
var now = time.Unix(1_600_000_000, 0)

// errDown is the operational error of a failed look-up.
var errDown = errors.New("down")

// parseAll parses valid caveat texts.
func parseAll(t testing.TB, texts ...string) []caveat.Caveat {
	t.Helper()
	cs := make([]caveat.Caveat, len(texts))
	for i, text := range texts {
		c, err := caveat.Parse(text)
		require.NoError(t, err)
		cs[i] = c
	}
	return cs
}

func printAll(cs []caveat.Caveat) []string {
	texts := make([]string, len(cs))
	for i, c := range cs {
		texts[i] = c.String()
	}
	return texts
}

// holds asserts whether the caveat with the text is satisfied, and that a
// refusal is the error of the catalogue that names the caveat.
func holds(t *testing.T, want bool, text string, req *caveat.Request) {
	t.Helper()
	c, err := caveat.Parse(text)
	require.NoError(t, err)
	err = caveat.Check(t.Context(), c, req)
	requireSameText(t, err, text, req)
	if want {
		assert.NoError(t, err)
		return
	}
	requireUnverified(t, err, c)
}

// requireSameText asserts that the text of a caveat is decided with the same
// error as the caveat.
func requireSameText(t *testing.T, want error, text string, req *caveat.Request) {
	t.Helper()
	require.Equal(t, want, checkText(t, text, req), "%q", text)
}

// checkText decides one caveat like a verifier, for a use that supports it.
func checkText(t *testing.T, text string, req *caveat.Request) error {
	t.Helper()
	var v *caveat.Vocabulary
	if req != nil {
		v = req.Vocabulary
	}
	list := v.ParseList([]string{text})
	use := caveat.UseAccess
	if !list.Caveats()[0].Type().SupportedBy(use) {
		use = caveat.UseAccessAsIdentity
	}
	_, err := list.Check(t.Context(), use, req)
	return err
}

// requireUnverified asserts that err is the refusal of the caveat.
func requireUnverified(t *testing.T, err error, c caveat.Caveat) {
	t.Helper()
	refusal, ok := errors.AsType[*errors.Error](err)
	require.True(t, ok, "not of the catalogue: %v", err)
	require.Equal(t, errors.IDTokenCaveatUnverified, refusal.ID)
	requireDetail(t, refusal, c)
}

// requireForbidden asserts that err is unauthorized because of the caveat.
func requireForbidden(t *testing.T, err error, c caveat.Caveat) {
	t.Helper()
	outer, ok := errors.AsType[*errors.Error](err)
	require.True(t, ok, "not of the catalogue: %v", err)
	require.Equal(t, errors.IDUnauthorized, outer.ID)
	require.Equal(t, 401, outer.HTTPStatus())
	requireUnverified(t, outer.Unwrap(), c)
}

// requireDetail asserts that the error shows the caveat in its JSON form.
func requireDetail(t *testing.T, e *errors.Error, c caveat.Caveat) {
	t.Helper()
	want, err := json.Marshal(c)
	require.NoError(t, err)
	got, err := json.Marshal(e.Details["caveat"])
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
}

// requireInvalid asserts that err rejects a caveat for new tokens.
func requireInvalid(t *testing.T, err error) *errors.Error {
	t.Helper()
	e, ok := errors.AsType[*errors.Error](err)
	require.True(t, ok, "accepted, or not of the catalogue: %v", err)
	require.Equal(t, errors.IDBadValueCaveat, e.ID)
	require.Equal(t, 400, e.HTTPStatus())
	return e
}

// unknownTexts asserts that the texts are outside the language.
func unknownTexts(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		c, err := caveat.Parse(text)
		assert.Equal(t, caveat.Unknown(text), c)
		assert.ErrorIs(t, err, errors.IDTokenCaveatUnknown, "%q", text)
	}
}

// canonical asserts the value of each text, and the text and object that the
// value prints.
type canonical struct {
	text  string
	value caveat.Caveat
	print string // "" if it is the text
	json  string
}

func testCanonical(t *testing.T, cases []canonical) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			got, err := caveat.Parse(c.text)
			require.NoError(t, err)
			assert.Equal(t, c.value, got)
			if c.print == "" {
				c.print = c.text
			}
			assert.Equal(t, c.print, got.String())
			raw, err := got.MarshalJSON()
			require.NoError(t, err)
			assert.Equal(t, c.json, string(raw))
		})
	}
}

// testNew asserts which caveats may enter a new token, and the reasons for the others.
func testNew(t *testing.T, cases []newCase) {
	t.Helper()
	for _, c := range cases {
		err := caveat.Validate(c.value)
		if c.problem == "" {
			assert.NoError(t, err, "%#v", c.value)
			continue
		}
		e := requireInvalid(t, err)
		assert.Contains(t, e.Description, c.problem)
	}
}

type newCase struct {
	value   caveat.Caveat
	problem string // "" if it may
}

// geoTable is a geo database in a map. Missing addresses have no mapping.
type geoTable map[netip.Addr]struct {
	asn   uint32
	place caveat.Place
}

func (g geoTable) ASN(_ context.Context, ip netip.Addr) (uint32, error) {
	entry, ok := g[ip]
	if !ok {
		return 0, errDown
	}
	return entry.asn, nil
}

func (g geoTable) Place(_ context.Context, ip netip.Addr) (caveat.Place, error) {
	entry, ok := g[ip]
	if !ok {
		return caveat.Place{}, errDown
	}
	return entry.place, nil
}

// membership is a group checker that records its calls.
type membership struct {
	groups map[string]bool // of every consumer
	err    map[string]error
	asked  []string
}

func (m *membership) IsMember(_ context.Context, consumer caveat.Subject, group string) (bool, error) {
	m.asked = append(m.asked, consumer.String()+" in "+group)
	return m.groups[group], m.err[group]
}
