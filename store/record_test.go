package store_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

func validToken() store.Token {
	return store.Token{
		ID:           "a",
		Name:         "name",
		Version:      2,
		Subject:      caveat.User("alice"),
		Type:         "act",
		Caveats:      []string{"time < 5", "ip = 10.0.0.0/8"},
		Secret:       store.NewSecret("secret"),
		Created:      7,
		RevokedTails: []store.Tail{store.TailOf([]byte("x"))},
		Custom:       json.RawMessage(`{"a":1}`),
		Privileges:   []string{"view"},
		UsageLimit:   3,
		UsageCount:   1,
		Parent:       "parent",
		Tightened:    []store.OwnerCaveat{{Text: "time < 4", Added: 8}},
		Bait:         store.BaitAlarm,
	}
}

func validIdentity() store.Identity {
	return store.Identity{Subject: caveat.User("alice"), Username: "alice", FullName: "Alice"}
}

var long = strings.Repeat("x", 1024)

// requireValid requires that the record is valid, or that the error names
// badKey.
func requireValid(t *testing.T, err error, badKey, about string) {
	t.Helper()
	if badKey == "" {
		require.NoError(t, err, about)
		return
	}
	require.ErrorIs(t, err, errors.IDBadData, about)
	e, ok := errors.AsType[*errors.Error](err)
	require.True(t, ok, about)
	require.Equal(t, badKey, e.Details["key"], about)
	require.NotEmpty(t, e.Details["hint"], about)
}

func TestTokenValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about  string
		badKey string
		change func(*store.Token)
	}{
		{"as it is", "", func(*store.Token) {}},
		{"no id", "id", func(t *store.Token) { t.ID = "" }},
		{"longest id", "", func(t *store.Token) { t.ID = long }},
		{"id too long", "id", func(t *store.Token) { t.ID = long + "x" }},
		{"NUL in the id", "id", func(t *store.Token) { t.ID = "a\x00" }},
		{"id not UTF-8", "id", func(t *store.Token) { t.ID = "\xff" }},
		{"no name", "name", func(t *store.Token) { t.Name = "" }},
		{"unicode name", "", func(t *store.Token) { t.Name = "Zażółć 🐢" }},
		{"name too long", "name", func(t *store.Token) { t.Name = long + "x" }},
		{"NUL in the name", "name", func(t *store.Token) { t.Name = "\x00" }},
		{"version 1", "", func(t *store.Token) { t.Version = 1 }},
		{"version 0", "version", func(t *store.Token) { t.Version = 0 }},
		{"version 3", "version", func(t *store.Token) { t.Version = 3 }},
		{"no type", "type", func(t *store.Token) { t.Type = "" }},
		{"type not UTF-8", "type", func(t *store.Token) { t.Type = "\xc0\x80" }},
		{"no secret", "secret", func(t *store.Token) { t.Secret = store.Secret{} }},
		{"secret of any bytes", "", func(t *store.Token) { t.Secret = store.NewSecret("\x00\xff") }},
		{"oneprovider", "", func(t *store.Token) { t.Subject = caveat.Provider("p") }},
		{"group", "subject", func(t *store.Token) { t.Subject = caveat.Group("g") }},
		{"nobody", "subject", func(t *store.Token) { t.Subject = caveat.Nobody() }},
		{"no subject", "subject", func(t *store.Token) { t.Subject = caveat.Subject{} }},
		{"subject without id", "subject", func(t *store.Token) { t.Subject = caveat.User("") }},
		{"NUL in the subject", "subject", func(t *store.Token) { t.Subject = caveat.User("a\x00b") }},
		{"subject too long", "subject", func(t *store.Token) { t.Subject = caveat.User(long + "x") }},
		{"no caveats", "", func(t *store.Token) { t.Caveats = nil }},
		{"long caveat", "", func(t *store.Token) { t.Caveats = []string{long + long} }},
		{"empty caveat", "caveats", func(t *store.Token) { t.Caveats = []string{"time < 5", ""} }},
		{"NUL in a caveat", "caveats", func(t *store.Token) { t.Caveats = []string{"a\x00"} }},
		{"caveat not UTF-8", "caveats", func(t *store.Token) { t.Caveats = []string{"\xed\xa0\x80"} }},
		{"no privileges", "", func(t *store.Token) { t.Privileges = nil }},
		{"empty privileges", "", func(t *store.Token) { t.Privileges = []string{} }},
		{"no parent", "", func(t *store.Token) { t.Parent = "" }},
		{"long parent", "parent", func(t *store.Token) { t.Parent = long + "x" }},
		{"parent with NUL", "parent", func(t *store.Token) { t.Parent = "a\x00" }},
		{"nothing added", "", func(t *store.Token) { t.Tightened = nil }},
		{"empty addition", "tightened", func(t *store.Token) { t.Tightened[0].Text = "" }},
		{"addition not UTF-8", "tightened", func(t *store.Token) { t.Tightened[0].Text = "\xff" }},
		{"bait with revocation", "", func(t *store.Token) { t.Bait = store.BaitRevokesFamily }},
		{"unknown bait", "bait", func(t *store.Token) { t.Bait = store.BaitRevokesFamily + 1 }},
		{"empty privilege", "privileges", func(t *store.Token) { t.Privileges = []string{""} }},
		{"privilege not UTF-8", "privileges", func(t *store.Token) { t.Privileges = []string{"\xff"} }},
		{"no custom metadata", "", func(t *store.Token) { t.Custom = nil }},
		{"empty object", "", func(t *store.Token) { t.Custom = json.RawMessage(`{}`) }},
		{"object in white space", "", func(t *store.Token) { t.Custom = json.RawMessage(" \t\r\n{ } ") }},
		{"empty text", "customMetadata", func(t *store.Token) { t.Custom = json.RawMessage{} }},
		{"null", "customMetadata", func(t *store.Token) { t.Custom = json.RawMessage(`null`) }},
		{"list", "customMetadata", func(t *store.Token) { t.Custom = json.RawMessage(`[{}]`) }},
		{"string", "customMetadata", func(t *store.Token) { t.Custom = json.RawMessage(`"{}"`) }},
		{"half an object", "customMetadata", func(t *store.Token) { t.Custom = json.RawMessage(`{"a":`) }},
		{"two objects", "customMetadata", func(t *store.Token) { t.Custom = json.RawMessage(`{}{}`) }},
		{"object not UTF-8", "customMetadata", func(t *store.Token) { t.Custom = json.RawMessage("{\"a\":\"\xff\"}") }},
		{"no usage limit", "", func(t *store.Token) { t.UsageLimit, t.UsageCount = 0, 9 }},
		{"negative limit", "usageLimit", func(t *store.Token) { t.UsageLimit = -1 }},
		{"negative count", "usageLimit", func(t *store.Token) { t.UsageCount = -1 }},
		{"created before the epoch", "", func(t *store.Token) { t.Created = -1 }},
	} {
		token := validToken()
		c.change(&token)
		requireValid(t, token.Validate(), c.badKey, c.about)
	}
}

func TestIdentityValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about  string
		badKey string
		change func(*store.Identity)
	}{
		{"as it is", "", func(*store.Identity) {}},
		{"nothing but a subject", "", func(i *store.Identity) { *i = store.Identity{Subject: i.Subject} }},
		{"oneprovider", "", func(i *store.Identity) { i.Subject, i.Username = caveat.Provider("p"), "" }},
		{"oneprovider with a user name", "username", func(i *store.Identity) { i.Subject = caveat.Provider("p") }},
		{"longest names", "", func(i *store.Identity) { i.Username, i.FullName = long, long }},
		{"user name too long", "username", func(i *store.Identity) { i.Username = long + "x" }},
		{"NUL in the user name", "username", func(i *store.Identity) { i.Username = "\x00" }},
		{"full name too long", "fullName", func(i *store.Identity) { i.FullName = long + "x" }},
		{"full name not UTF-8", "fullName", func(i *store.Identity) { i.FullName = "\xff" }},
		{"password of any bytes", "", func(i *store.Identity) { i.Password = store.NewSecret("\x00\xff") }},
		{"group", "subject", func(i *store.Identity) { i.Subject, i.Username = caveat.Group("g"), "" }},
		{"no subject", "subject", func(i *store.Identity) { i.Subject, i.Username = caveat.Subject{}, "" }},
	} {
		i := validIdentity()
		c.change(&i)
		requireValid(t, i.Validate(), c.badKey, c.about)
	}
}

func TestTemporaryValidate(t *testing.T) {
	t.Parallel()
	secret := store.NewSecret("s")
	for _, c := range []struct {
		badKey string
		record store.Temporary
	}{
		{"", store.Temporary{Subject: caveat.User("a"), Secret: secret, Generation: 1}},
		{"", store.Temporary{Subject: caveat.Provider("a"), Secret: secret, Generation: 1 << 62}},
		{"secret", store.Temporary{Subject: caveat.User("a"), Generation: 1}},
		{"generation", store.Temporary{Subject: caveat.User("a"), Secret: secret}},
		{"generation", store.Temporary{Subject: caveat.User("a"), Secret: secret, Generation: -1}},
		{"subject", store.Temporary{Subject: caveat.Group("a"), Secret: secret, Generation: 1}},
		{"subject", store.Temporary{Subject: caveat.User(""), Secret: secret, Generation: 1}},
	} {
		requireValid(t, c.record.Validate(), c.badKey, fmt.Sprint(c.record))
	}
}

func TestRecordValidate(t *testing.T) {
	t.Parallel()
	identity, token := store.Identity{Subject: caveat.User("a")}, validToken()
	temporary := store.Temporary{Subject: caveat.User("a"), Secret: store.NewSecret("s"), Generation: 1}
	for _, c := range []struct {
		badKey string
		record store.Record
	}{
		{"", store.Record{Identity: &identity}},
		{"", store.Record{Temporary: &temporary}},
		{"", store.Record{Token: &token}},
		{"record", store.Record{}},
		{"record", store.Record{Identity: &identity, Token: &token}},
		{"record", store.Record{Temporary: &temporary, Token: &token}},
		{"record", store.Record{Identity: &identity, Temporary: &temporary}},
		{"subject", store.Record{Identity: &store.Identity{}}},
		{"secret", store.Record{Temporary: &store.Temporary{}}},
		{"id", store.Record{Token: &store.Token{}}},
	} {
		requireValid(t, c.record.Validate(), c.badKey, fmt.Sprintf("%+v", c.record))
	}
}

func TestIdentityStatus(t *testing.T) {
	t.Parallel()
	require.Equal(t, store.HolderActive, store.Identity{}.Status())
	require.Equal(t, store.HolderBlocked, store.Identity{Blocked: true}.Status())
}

func TestTailOf(t *testing.T) {
	t.Parallel()
	require.Equal(t, store.TailOf([]byte("a")), store.TailOf([]byte("a")))
	require.NotEqual(t, store.TailOf([]byte("a")), store.TailOf([]byte("b")))
	signature := []byte(strings.Repeat("s", 32))
	tail := store.TailOf(signature)
	require.NotContains(t, string(tail[:]), "ss", "the tail contains the signature")
}

// overwrite changes every element of every list of the record.
func overwrite(t *store.Token) {
	t.Caveats[0], t.RevokedTails[0], t.Custom[0], t.Privileges[0] = "overwritten", store.Tail{}, ' ', "overwritten"
	t.Tightened[0] = store.OwnerCaveat{Text: "overwritten"}
}

func TestTokenCloneSharesNoMemory(t *testing.T) {
	t.Parallel()
	original := validToken()
	clone := original.Clone()
	require.Equal(t, original, clone)
	overwrite(&clone)
	require.Equal(t, validToken(), original)

	require.Equal(t, store.Token{}, store.Token{}.Clone(), "nil lists must stay nil")
	empty := store.Token{Caveats: []string{}, RevokedTails: []store.Tail{}, Custom: json.RawMessage{}, Privileges: []string{}, Tightened: []store.OwnerCaveat{}}
	require.Equal(t, empty, empty.Clone(), "empty lists must stay empty")
}

// A list that is added to the record must also be added to Clone.
func TestTokenCloneCopiesEveryList(t *testing.T) {
	t.Parallel()
	var lists []string
	typ := reflect.TypeFor[store.Token]()
	for i := range typ.NumField() {
		switch typ.Field(i).Type.Kind() {
		case reflect.Slice, reflect.Map, reflect.Pointer:
			lists = append(lists, typ.Field(i).Name)
		}
	}
	require.Equal(t, []string{"Caveats", "RevokedTails", "Tightened", "Custom", "Privileges"}, lists)
}

func TestUpdateToken(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	for _, c := range []struct {
		about  string
		badKey string
		fails  error
		change func(*store.Token) error
	}{
		{"nothing", "", nil, func(*store.Token) error { return nil }},
		{"all that may change", "", nil, func(t *store.Token) error {
			id, subject, created, parent := t.ID, t.Subject, t.Created, t.Parent
			*t = store.Token{ID: id, Subject: subject, Created: created, Parent: parent, Name: "x", Version: 1, Type: "idn", Secret: store.NewSecret("y")}
			return nil
		}},
		{"id", "id", nil, func(t *store.Token) error { t.ID = "b"; return nil }},
		{"subject", "id", nil, func(t *store.Token) error { t.Subject = caveat.User("b"); return nil }},
		{"created", "id", nil, func(t *store.Token) error { t.Created++; return nil }},
		{"parent", "id", nil, func(t *store.Token) error { t.Parent = "b"; return nil }},
		{"invalid", "name", nil, func(t *store.Token) error { t.Name = ""; return nil }},
		{"error", "", stop, func(t *store.Token) error { t.Name = "x"; return stop }},
		{"error and invalid", "", stop, func(t *store.Token) error { t.ID = ""; return stop }},
	} {
		old := validToken()
		var given store.Token
		updated, err := store.UpdateToken(old, func(t *store.Token) error {
			overwrite(t)
			t.Custom[0] = '{'
			err := c.change(t)
			given = *t
			return err
		})
		require.Equal(t, validToken(), old, "%s: the old record was changed", c.about)
		if c.fails != nil {
			require.True(t, err == c.fails, "%s: %v", c.about, err)
			continue
		}
		requireValid(t, err, c.badKey, c.about)
		if err == nil {
			require.Equal(t, given, updated, c.about)
			if len(given.Caveats) > 0 {
				given.Caveats[0] = "overwritten later"
				require.NotEqual(t, given, updated, "%s: the record shares memory with change", c.about)
			}
		}
	}
}

func TestUpdateWithoutFunctionIsRejected(t *testing.T) {
	t.Parallel()
	_, err := store.UpdateToken(validToken(), nil)
	requireValid(t, err, "change", "token")
	_, err = store.UpdateIdentity(store.Identity{Subject: caveat.User("a")}, nil)
	requireValid(t, err, "change", "identity")
}

func TestUpdateIdentity(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	for _, c := range []struct {
		about  string
		badKey string
		fails  error
		change func(*store.Identity) error
	}{
		{"nothing", "", nil, func(*store.Identity) error { return nil }},
		{"all that may change", "", nil, func(i *store.Identity) error {
			i.Username, i.FullName, i.Password, i.Blocked = "x", "y", store.NewSecret("z"), true
			return nil
		}},
		{"subject", "subject", nil, func(i *store.Identity) error { i.Subject = caveat.User("b"); return nil }},
		{"created", "subject", nil, func(i *store.Identity) error { i.Created++; return nil }},
		{"invalid", "username", nil, func(i *store.Identity) error { i.Username = "\x00"; return nil }},
		{"error", "", stop, func(i *store.Identity) error { i.Blocked = true; return stop }},
	} {
		old := validIdentity()
		var given store.Identity
		updated, err := store.UpdateIdentity(old, func(i *store.Identity) error {
			err := c.change(i)
			given = *i
			return err
		})
		require.Equal(t, validIdentity(), old, "%s: the old record was changed", c.about)
		if c.fails != nil {
			require.True(t, err == c.fails, "%s: %v", c.about, err)
			continue
		}
		requireValid(t, err, c.badKey, c.about)
		if err == nil {
			require.Equal(t, given, updated, c.about)
		}
	}
}

func TestQueryPageSize(t *testing.T) {
	t.Parallel()
	for limit, size := range map[int]int{
		-5: store.DefaultPage, 0: store.DefaultPage, 1: 1, 999: 999, store.MaxPage: store.MaxPage, 100_000: store.MaxPage,
	} {
		require.Equal(t, size, store.Query{Limit: limit}.PageSize(), "limit %d", limit)
	}
}

func TestCursorIsZero(t *testing.T) {
	t.Parallel()
	require.True(t, store.Cursor{}.IsZero())
	require.False(t, store.Cursor{Created: 1}.IsZero())
	require.False(t, store.Cursor{ID: "a"}.IsZero())
}

func TestZeroEnumsAreInvalid(t *testing.T) {
	t.Parallel()
	require.NotContains(t, []store.Status{store.HolderActive, store.HolderBlocked, store.HolderMissing}, store.Status(0))
	require.NotContains(t, []store.ChangeKind{
		store.FeedUp, store.FeedDown, store.TokenChanged, store.TemporaryChanged, store.IdentityChanged,
	}, store.ChangeKind(0))
	require.NotContains(t, []store.RecordKind{store.IdentityRecords, store.TemporaryRecords, store.TokenRecords, store.UseRecords}, store.RecordKind(0))
}

func TestRecordKindsHaveNames(t *testing.T) {
	t.Parallel()
	var names []string
	for kind := range store.UseRecords + 2 {
		names = append(names, kind.String())
	}
	require.Equal(t, "unknown record, identity, temporary secret, named token, last use, unknown record", strings.Join(names, ", "))
}
