package discharge_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

func TestConditionsOfADischargeReplaceItsCaveat(t *testing.T) {
	t.Parallel()
	m := macaroonOf(t, "m", rootKey, "step = 1")
	m = needs(t, m, "a")
	m = needs(t, confined(t, m, "step = 4"), "b")
	a := needs(t, macaroonOf(t, "a", keyOf("a"), "step = 2"), "c")
	b := macaroonOf(t, "b", keyOf("b"), "step = 5")
	c := macaroonOf(t, "c", keyOf("c"), "step = 3")
	for _, order := range [][]general.Macaroon{{a, b, c}, {c, b, a}} {
		texts, err := verify(t, m, bind(t, m, order...)...)
		require.NoError(t, err)
		assert.Equal(t, []string{"step = 1", "step = 2", "step = 3", "step = 4", "step = 5"}, texts)
	}
	for i := range 3 {
		all := []general.Macaroon{a, b, c}
		all[i] = confined(t, all[i], "step = bad")
		_, err := verify(t, m, bind(t, m, all...)...)
		require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
		all[i] = confined(t, []general.Macaroon{a, b, c}[i], "moon = full")
		_, err = verify(t, m, bind(t, m, all...)...)
		require.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
	}
}

func TestEachThirdPartyCaveatNeedsExactlyOneDischarge(t *testing.T) {
	t.Parallel()
	one := needs(t, macaroonOf(t, "m", rootKey), "a")
	two := needs(t, one, "b")
	a, b := dischargeOf(t, "a"), dischargeOf(t, "b")
	withNested, nested := dischargeOf(t, "a", "n"), dischargeOf(t, "n")
	_, err := verify(t, one, bind(t, one, a)...)
	require.NoError(t, err)
	_, err = verify(t, two, bind(t, two, a, b)...)
	require.NoError(t, err)
	_, err = verify(t, one, bind(t, one, withNested, nested)...)
	require.NoError(t, err)

	for name, c := range map[string]struct {
		m          general.Macaroon
		discharges []general.Macaroon
	}{
		"none":                       {one, nil},
		"one of two":                 {two, bind(t, two, a)},
		"another identifier":         {one, bind(t, one, b)},
		"unused":                     {one, bind(t, one, a, b)},
		"unused without a caveat":    {macaroonOf(t, "m", rootKey), bind(t, one, a)},
		"the same one twice":         {one, bind(t, one, a, a)},
		"two with the same id":       {one, bind(t, one, a, macaroonOf(t, "a", keyOf("a"), "step = 2"))},
		"two caveats, same id":       {needs(t, one, "a"), bind(t, needs(t, one, "a"), a)},
		"two caveats, same ids":      {needs(t, one, "a"), bind(t, needs(t, one, "a"), a, a)},
		"nested missing":             {one, bind(t, one, withNested)},
		"nested used before":         {needs(t, one, "n"), bind(t, needs(t, one, "n"), withNested, nested)},
		"needs itself":               {one, bind(t, one, dischargeOf(t, "a", "a"))},
		"need each other":            {one, bind(t, one, dischargeOf(t, "a", "b"), dischargeOf(t, "b", "a"))},
		"a zero discharge":           {one, append(bind(t, one, a), general.Macaroon{})},
		"unbound":                    {one, []general.Macaroon{a}},
		"bound to another":           {one, bind(t, two, a)},
		"bound to a weaker macaroon": {two, bind(t, one, a, b)},
		"bound twice":                {one, bind(t, one, bind(t, one, a)...)},
		"nested unbound":             {one, append(bind(t, one, withNested), nested)},
		"nested bound to its parent": {one, append(bind(t, one, withNested), bind(t, withNested, nested)...)},
		"confined after it is bound": {one, []general.Macaroon{confined(t, bind(t, one, a)[0], "step = 1")}},
		"another root key":           {one, bind(t, one, macaroonOf(t, "a", keyOf("b")))},
		"root key of the macaroon":   {one, bind(t, one, macaroonOf(t, "a", rootKey))},
	} {
		_, err := verify(t, c.m, c.discharges...)
		require.ErrorIs(t, err, errors.IDTokenInvalid, name)
	}
}

func confined(tb testing.TB, m general.Macaroon, texts ...string) general.Macaroon {
	tb.Helper()
	m, err := m.Confine(texts...)
	require.NoError(tb, err)
	return m
}

// The verification id of a caveat that nobody could have encrypted.
func TestVerificationIDsAreStrict(t *testing.T) {
	t.Parallel()
	bare := macaroonOf(t, "m", rootKey)
	vid := needs(t, bare, "a").Caveats()[0].VerificationID
	require.Len(t, vid, 72)
	with := func(vid string) general.Macaroon {
		m, err := bare.AddThirdParty(general.Caveat{Text: "a", VerificationID: vid})
		require.NoError(t, err)
		return m
	}
	_, err := verify(t, with(vid), bind(t, with(vid), dischargeOf(t, "a"))...)
	require.NoError(t, err)
	other := needs(t, macaroonOf(t, "m2", rootKey), "a").Caveats()[0].VerificationID
	for name, vid := range map[string]string{
		"one byte": "v", "a nonce": vid[:24], "no key": vid[:40], "cut": vid[:71], "longer": vid + "\x00",
		"oversized": vid + strings.Repeat("\x00", 60_000), "changed": vid[:71] + string(vid[71]^1),
		"changed nonce": string(vid[0]^1) + vid[1:], "of another macaroon": other,
	} {
		m := with(vid)
		_, err := verify(t, m, bind(t, m, dischargeOf(t, "a"))...)
		require.ErrorIs(t, err, errors.IDTokenInvalid, name)
	}
}

func TestDischargesHaveALimit(t *testing.T) {
	t.Parallel()
	m := macaroonOf(t, "m", rootKey)
	var all []general.Macaroon
	for i := range discharge.DefaultMaxDischarges {
		id := fmt.Sprint("d", i)
		m = needs(t, m, id)
		all = append(all, dischargeOf(t, id))
	}
	_, err := verify(t, m, bind(t, m, all...)...)
	require.NoError(t, err)
	m = needs(t, m, "one more")
	_, err = verify(t, m, bind(t, m, append(all, dischargeOf(t, "one more"))...)...)
	require.ErrorIs(t, err, errors.IDLimitReached)

	chain := needs(t, macaroonOf(t, "m", rootKey), "d0")
	all = nil
	for i := range discharge.DefaultMaxDischarges - 1 {
		all = append(all, dischargeOf(t, fmt.Sprint("d", i), fmt.Sprint("d", i+1)))
	}
	all = append(all, dischargeOf(t, fmt.Sprint("d", len(all))))
	_, err = verify(t, chain, bind(t, chain, all...)...)
	require.NoError(t, err, "the deepest nesting")
}

func TestKeysThatSignNothing(t *testing.T) {
	t.Parallel()
	m := needs(t, macaroonOf(t, "m", rootKey), "a")
	sealed := store.NewSecret("\x00ozseal1 of somebody")
	require.True(t, sealed.IsSealed())
	_, err := discharge.Add(m, discharge.Caveat{Identifier: "b", Key: sealed})
	require.ErrorIs(t, err, store.ErrSealed)
	_, err = discharge.Verify(t.Context(), m, sealed, caveat.Request{})
	require.ErrorIs(t, err, store.ErrSealed)
	_, err = discharge.Verify(t.Context(), m, store.Secret{}, caveat.Request{})
	requireInvalid(t, err)
	_, err = discharge.Add(m, discharge.Caveat{Identifier: "b"})
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = discharge.Add(m, discharge.Caveat{Key: rootKey})
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
}

func TestTheZeroMacaroon(t *testing.T) {
	t.Parallel()
	var zero general.Macaroon
	_, err := discharge.Add(zero, discharge.Caveat{Identifier: "a", Key: rootKey})
	require.ErrorIs(t, err, errors.IDBadToken)
	_, err = discharge.Bind(zero, dischargeOf(t, "a"))
	require.ErrorIs(t, err, errors.IDBadToken)
	_, err = discharge.Bind(dischargeOf(t, "a"), zero)
	require.ErrorIs(t, err, errors.IDBadToken)
	_, err = verify(t, zero)
	requireInvalid(t, err)
	assert.Empty(t, discharge.Needed(zero, zero))
}

func TestNeeded(t *testing.T) {
	t.Parallel()
	m := needs(t, macaroonOf(t, "m", rootKey, "step = 1"), "a", "b", "a")
	a, b := dischargeOf(t, "a", "c", "b"), dischargeOf(t, "b", "a")
	identifiers := func(discharges ...general.Macaroon) (ids []string) {
		for _, c := range discharge.Needed(m, discharges...) {
			assert.Equal(t, "elsewhere", c.Location)
			assert.True(t, c.IsThirdParty())
			ids = append(ids, c.Text)
		}
		return ids
	}
	assert.Equal(t, []string{"a", "b"}, identifiers())
	assert.Equal(t, []string{"b", "c"}, identifiers(a))
	assert.Equal(t, []string{"c"}, identifiers(a, b), "a cycle ends")
	assert.Equal(t, []string{"a", "b"}, identifiers(dischargeOf(t, "unrelated", "x")))
	assert.Empty(t, identifiers(a, b, dischargeOf(t, "c")))
}

func TestNoConditionIsCheckedBeforeAllSignatures(t *testing.T) {
	t.Parallel()
	checked := 0
	spying, err := caveat.NewVocabulary(caveat.Kind{
		Name:     "step",
		Validate: func(string) error { checked++; return nil },
		Satisfied: func(context.Context, string, *caveat.Request) (bool, error) {
			checked++
			return true, nil
		},
	})
	require.NoError(t, err)
	m := needs(t, macaroonOf(t, "m", rootKey, "step = 1"), "a", "b")
	a, b := macaroonOf(t, "a", keyOf("a"), "step = 2"), macaroonOf(t, "b", keyOf("b"), "step = 3")
	all := bind(t, m, a, b)
	req := caveat.Request{Vocabulary: spying}
	for name, discharges := range map[string][]general.Macaroon{
		"the last is forged": {all[0], confined(t, all[1], "step = 4")}, "the last is missing": all[:1],
		"one is unused": append(bind(t, m, macaroonOf(t, "c", keyOf("c"))), all...),
	} {
		_, err := discharge.Verify(t.Context(), m, rootKey, req, discharges...)
		require.ErrorIs(t, err, errors.IDTokenInvalid, name)
	}
	_, err = discharge.Verify(t.Context(), m, store.NewSecret("another"), req, all...)
	requireInvalid(t, err)
	require.Zero(t, checked)
	_, err = discharge.Verify(t.Context(), m, rootKey, req, all...)
	require.NoError(t, err)
	require.Positive(t, checked)
}
