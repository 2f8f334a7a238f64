package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

// confined is a record with all fields that determine a token.
func confined(secret string) store.Token {
	t := token("a", alice, secret)
	t.Caveats = []string{"time < 2000000000", "ip = 203.0.113.7"}
	return t
}

// TestAlteredRecordsAreNotShownAsTokens is an attack: someone who can write to
// the database removes the caveats of a token and requests it again.
func TestAlteredRecordsAreNotShownAsTokens(t *testing.T) {
	t.Parallel()
	for what, alter := range map[string]func(t *store.Token){
		"all caveats taken":     func(t *store.Token) { t.Caveats = nil },
		"the last caveat taken": func(t *store.Token) { t.Caveats = t.Caveats[:1] },
		"the first caveat taken": func(t *store.Token) {
			t.Caveats = t.Caveats[1:]
		},
		"a caveat changed": func(t *store.Token) { t.Caveats[0] = "time < 2100000000" },
		"a caveat added":   func(t *store.Token) { t.Caveats = append(t.Caveats, "ip = 203.0.113.7") },
		"caveats swapped":  func(t *store.Token) { t.Caveats[0], t.Caveats[1] = t.Caveats[1], t.Caveats[0] },
		"caveats joined":   func(t *store.Token) { t.Caveats = []string{t.Caveats[0] + t.Caveats[1]} },
		"another type":     func(t *store.Token) { t.Type = "idn" },
		"a boundary moved": func(t *store.Token) {
			t.Caveats = []string{t.Caveats[0] + t.Caveats[1][:1], t.Caveats[1][1:]}
		},
		"another version":      func(t *store.Token) { t.Version = 1 },
		"a parent":             func(t *store.Token) { t.Parent = "b" },
		"a caveat in the type": func(t *store.Token) { t.Type, t.Caveats = t.Type+t.Caveats[0], t.Caveats[1:] },
	} {
		backend := memory.New()
		s := sealed(t, backend, ring(t, key1))
		require.NoError(t, second(s.CreateToken(t.Context(), confined("plain"), 0)))
		kept, err := backend.GetToken(t.Context(), "a")
		require.NoError(t, err)
		alter(&kept)
		require.NoError(t, backend.Import(t.Context(), []store.Record{{Token: &kept}}))

		_, err = s.GetToken(t.Context(), "a")
		requireOperational(t, err, seal.ErrAltered, what)
		page, _, err := s.ListTokens(t.Context(), store.Query{Subject: alice, Name: "name of a"})
		require.NoError(t, err)
		require.True(t, page[0].Secret.IsZero(), what)
		_, _, err = s.Export(t.Context(), store.TokenRecords, "", 0)
		requireOperational(t, err, seal.ErrAltered, "a copy would seal it again: "+what)
		a, err := macaroon.NewAuthority(s)
		require.NoError(t, err)
		_, err = a.Get(t.Context(), "a")
		requireOperational(t, err, seal.ErrAltered, what)
		_, err = a.GetByName(t.Context(), alice, "name of a")
		requireOperational(t, err, seal.ErrAltered, what)
		tokens, _, err := a.List(t.Context(), store.Query{Subject: alice})
		require.NoError(t, err)
		require.Empty(t, tokens, what)

		// No write makes the record look genuine.
		err = s.UpdateToken(t.Context(), "a", func(t *store.Token) error { t.Name = "another"; return nil })
		requireOperational(t, err, seal.ErrAltered, what)
		_, err = sealed(t, newHookedOver(backend), ring(t, key2, key1)).Reseal(t.Context(), seal.ResealOptions{})
		requireOperational(t, err, seal.ErrAltered, what)

		// A verification reads only the key; the caveats in the text of the
		// token decide.
		key, err := s.NamedKey(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, "plain", key.Secret.Reveal())
	}
}

// TestAdditionsOfTheOwnerCannotBeRemovedUnseen is an attack: someone who can
// write to the database removes what the owner added to a record. A
// verification, which reads only the key, notices it too.
func TestAdditionsOfTheOwnerCannotBeRemovedUnseen(t *testing.T) {
	t.Parallel()
	owned := confined("plain")
	owned.Tightened = []store.OwnerCaveat{{Text: "ip = 203.0.113.7", Added: 7}, {Text: "asn = 5", Added: 8}}
	owned.Bait = store.BaitRevokesFamily
	for what, alter := range map[string]func(t *store.Token){
		"all removed":       func(t *store.Token) { t.Tightened, t.Bait = nil, 0 },
		"caveats removed":   func(t *store.Token) { t.Tightened = nil },
		"a caveat removed":  func(t *store.Token) { t.Tightened = t.Tightened[:1] },
		"a caveat changed":  func(t *store.Token) { t.Tightened[0].Text = "ip = 203.0.113.8" },
		"a time changed":    func(t *store.Token) { t.Tightened[0].Added++ },
		"swapped":           func(t *store.Token) { t.Tightened[0], t.Tightened[1] = t.Tightened[1], t.Tightened[0] },
		"bait removed":      func(t *store.Token) { t.Bait = 0 },
		"bait without harm": func(t *store.Token) { t.Bait = store.BaitAlarm },
	} {
		requireAltered(t, owned, alter, what)
	}
	requireAltered(t, confined("plain"), func(t *store.Token) { t.Tightened = owned.Tightened }, "added")
	requireAltered(t, confined("plain"), func(t *store.Token) { t.Bait = store.BaitAlarm }, "made a bait")
}

// requireAltered requires that no read returns the token after its record was
// altered in the backend.
func requireAltered(t *testing.T, token store.Token, alter func(*store.Token), what string) {
	t.Helper()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	require.NoError(t, second(s.CreateToken(t.Context(), token, 0)))
	require.NoError(t, second(s.NamedKey(t.Context(), "a")))
	kept, err := backend.GetToken(t.Context(), "a")
	require.NoError(t, err)
	alter(&kept)
	require.NoError(t, backend.Import(t.Context(), []store.Record{{Token: &kept}}))
	_, err = s.NamedKey(t.Context(), "a")
	requireOperational(t, err, seal.ErrAltered, what)
	_, err = s.GetToken(t.Context(), "a")
	requireOperational(t, err, seal.ErrAltered, what)
	err = s.UpdateToken(t.Context(), "a", func(t *store.Token) error { t.Name = "another"; return nil })
	requireOperational(t, err, seal.ErrAltered, what)
}

// TestRecordsWithoutAdditionsKeepTheirEnvelope lets earlier releases and this
// one read the same records.
func TestRecordsWithoutAdditionsKeepTheirEnvelope(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	version := func() byte {
		kept, err := backend.GetToken(t.Context(), "a")
		require.NoError(t, err)
		return kept.Secret.Reveal()[len("\x00ozseal")]
	}
	require.NoError(t, second(s.CreateToken(t.Context(), confined("plain"), 0)))
	require.EqualValues(t, 2, version())
	for _, tightened := range [][]store.OwnerCaveat{{{Text: "asn = 5", Added: 8}}, nil} {
		require.NoError(t, s.UpdateToken(t.Context(), "a", func(t *store.Token) error { t.Tightened = tightened; return nil }))
		require.EqualValues(t, 2+len(tightened), version())
		_, err := s.Reseal(t.Context(), seal.ResealOptions{})
		require.NoError(t, err)
		require.EqualValues(t, 2+len(tightened), version(), "after a reseal")
		key, err := s.NamedKey(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, "plain", key.Secret.Reveal())
	}
}

// TestARecordOfAnotherSubjectOrIDDoesNotOpen moves the secret of a token.
func TestARecordOfAnotherSubjectOrIDDoesNotOpen(t *testing.T) {
	t.Parallel()
	for what, alter := range map[string]func(t *store.Token){
		"subject":             func(t *store.Token) { t.Subject = bob },
		"kind of the subject": func(t *store.Token) { t.Subject = caveat.Provider("alice") },
		"id":                  func(t *store.Token) { t.ID = "b" },
	} {
		backend := memory.New()
		s := sealed(t, backend, ring(t, key1))
		require.NoError(t, second(s.CreateToken(t.Context(), confined("plain"), 0)))
		kept, err := backend.GetToken(t.Context(), "a")
		require.NoError(t, err)
		require.NoError(t, backend.DeleteToken(t.Context(), "a"))
		alter(&kept)
		require.NoError(t, second(backend.CreateToken(t.Context(), kept, 0)))
		_, err = s.GetToken(t.Context(), kept.ID)
		requireOperational(t, err, seal.ErrCannotOpen, what)
	}
}

// TestUpdatesKeepTheDigest changes every mutable field.
func TestUpdatesKeepTheDigest(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	require.NoError(t, second(s.CreateToken(t.Context(), confined("plain"), 0)))
	for what, change := range map[string]func(t *store.Token){
		"name":      func(t *store.Token) { t.Name = "another" },
		"custom":    func(t *store.Token) { t.Custom = []byte(`{"a":1}`) },
		"revoked":   func(t *store.Token) { t.Revoked = true },
		"tails":     func(t *store.Token) { t.RevokedTails = []store.Tail{{1}} },
		"use":       func(t *store.Token) { t.UsageLimit, t.UsageCount = 5, 1 },
		"privilege": func(t *store.Token) { t.Privileges = []string{"space_view"} },
		"caveats":   func(t *store.Token) { t.Caveats = append(t.Caveats, "ip = 203.0.113.8") },
		"type":      func(t *store.Token) { t.Type = "idn" },
		"version":   func(t *store.Token) { t.Version = 1 },
		"tightened": func(t *store.Token) { t.Tightened = []store.OwnerCaveat{{Text: "ip = 203.0.113.7", Added: 7}} },
		"bait":      func(t *store.Token) { t.Bait = store.BaitAlarm },
		"loosened":  func(t *store.Token) { t.Tightened, t.Bait = nil, 0 },
		"secret":    func(t *store.Token) { t.Secret = store.NewSecret("plain") },
	} {
		require.NoError(t, s.UpdateToken(t.Context(), "a", func(t *store.Token) error { change(t); return nil }), what)
		got, err := s.GetToken(t.Context(), "a")
		require.NoError(t, err, what)
		require.Equal(t, "plain", got.Secret.Reveal(), what)
	}
	to := memory.New()
	_, err := transfer.Copy(t.Context(), sealed(t, to, ring(t, key2)), s, transfer.Options{})
	require.NoError(t, err)
	for d, err := range transfer.Compare(t.Context(), sealed(t, to, ring(t, key2)), s) {
		t.Error(d, err)
	}
}
