package storetest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var textChecks = []check{
	{"texts are compared byte for byte as token ids and names", tokenTextsApart},
	{"texts are compared byte for byte as subjects and user names", subjectTextsApart},
	{"texts that no backend can store are refused", badTextRefused},
	{"looking up any text is not an operational error", lookUpAnyText},
}

// likeTexts are texts that a backend may confuse with one another, or with its
// own syntax.
var likeTexts = []string{
	"name", "Name", "NAME", " name", "name ", "name\t", "name\n", "\uff4eame", "nam\u0435",
	"caf\u00e9", "cafe\u0301", "cafe", "stra\u00dfe", "strasse", "\u0130", "\u0131", "i", "I",
	"\U0001F40E", "\U0001F40F", "\u200bname", "na\u200bme", "\ufffd", "\U0010FFFF",
	"'; DROP TABLE tokens; --", `" OR ""="`, "%", "_", "%_\\", `\`, `\\`, "n_me", "n%", "name%", "*", "n*", "?", "[a-z]",
	"a:b", "a:b:c", "a/b", "a|b", "{a}", "{}", "$1", "?1", ":a", "@a", "null", "NULL", "nil", "0", "00", "1e0", "true",
	"a\x01b", "\x7f", "\r\n", "usr-name", "prv-name", "'", `"`, "`", "--", "#", ";", "\u202ename",
}

func tokenTextsApart(t *testing.T, open func() store.Store) {
	s := open()
	tokens := make(map[string]store.Token)
	for _, text := range likeTexts {
		token := newToken(text)
		token.Name = text
		token.Custom, _ = json.Marshal(map[string]string{text: text})
		token.Caveats, token.Privileges, token.Type = []string{text}, []string{text}, text
		createTokens(t, s, token)
		tokens[text] = token
	}
	for _, text := range likeTexts {
		requireToken(t, tokens[text], getToken(t, s, text), "id %q", text)
		named := listAll(t, s, store.Query{Subject: alice, Name: text})
		requireTokens(t, []store.Token{tokens[text]}, named, "name %q", text)
		require.True(t, tokens[text].Secret.Equal(namedKey(t, s, text).Secret), "key of %q", text)
		updateToken(t, s, text, func(token *store.Token) { token.UsageCount++ })
	}
	for i, text := range likeTexts {
		require.EqualValues(t, 1, getToken(t, s, text).UsageCount, "%q was updated so many times", text)
		require.NoError(t, s.DeleteToken(t.Context(), text), "delete %q", text)
		require.Len(t, listAll(t, s, store.Query{}), len(likeTexts)-i-1, "deleted %q", text)
	}
}

func subjectTextsApart(t *testing.T, open func() store.Store) {
	s := open()
	identities := make(map[string]store.Identity)
	for _, text := range likeTexts {
		identities[text] = store.Identity{
			Subject:  caveat.User(text),
			Username: text,
			FullName: text,
			Password: store.NewSecret("hash of " + text),
		}
		createIdentities(t, s, identities[text], newIdentity(caveat.Provider(text)))
		token := newToken("token of " + text)
		token.Subject = caveat.User(text)
		createTokens(t, s, token)
		ensure(t, s, caveat.User(text), "of user "+text)
		ensure(t, s, caveat.Provider(text), "of provider "+text)
	}
	for _, text := range likeTexts {
		require.Equal(t, identities[text], getIdentity(t, s, caveat.User(text)))
		require.Equal(t, identities[text], getByUsername(t, s, text))
		require.Equal(t, []string{"token of " + text}, ids(listAll(t, s, store.Query{Subject: caveat.User(text)})))
		require.Equal(t, "of user "+text, temporaryKey(t, s, caveat.User(text)).Secret.Reveal())
		require.Equal(t, "of provider "+text, temporaryKey(t, s, caveat.Provider(text)).Secret.Reveal())
	}
	updateIdentity(t, s, caveat.User("name"), func(i *store.Identity) { i.Blocked = true })
	for _, text := range likeTexts {
		want := store.HolderActive
		if text == "name" {
			want = store.HolderBlocked
		}
		require.Equal(t, want, namedKey(t, s, "token of "+text).Holder, "holder %q", text)
	}
}

// badTexts are invalid texts: not UTF-8, or with a NUL.
var badTexts = []string{"\x00", "a\x00b", "\xff", "a\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80"}

func badTextRefused(t *testing.T, open func() store.Store) {
	s := open()
	for _, bad := range badTexts {
		for what, spoil := range map[string]func(*store.Token){
			"id":        func(t *store.Token) { t.ID = bad },
			"name":      func(t *store.Token) { t.Name = bad },
			"subject":   func(t *store.Token) { t.Subject = caveat.User(bad) },
			"type":      func(t *store.Token) { t.Type = bad },
			"caveat":    func(t *store.Token) { t.Caveats = []string{"time < 1", bad} },
			"privilege": func(t *store.Token) { t.Privileges = []string{"view", bad} },
			"custom":    func(t *store.Token) { t.Custom = json.RawMessage(`{"a":"` + bad + `"}`) },
		} {
			token := newToken("a")
			spoil(&token)
			requireID(t, createToken(t.Context(), s, token), errors.IDBadData, "%s %q", what, bad)
		}
		username, fullName := newUser("alice"), newUser("alice")
		username.Username, fullName.FullName = bad, bad
		for _, i := range []store.Identity{username, fullName, newIdentity(caveat.User(bad)), newIdentity(caveat.Provider(bad))} {
			requireID(t, s.CreateIdentity(t.Context(), i), errors.IDBadData, "identity with %q", bad)
		}
		_, err := s.EnsureTemporaryKey(t.Context(), caveat.User(bad), store.NewSecret("secret"))
		requireID(t, err, errors.IDBadData, "ensure %q", bad)
		_, err = s.RotateTemporaryKey(t.Context(), caveat.Provider(bad), store.NewSecret("secret"))
		requireID(t, err, errors.IDBadData, "rotate %q", bad)
	}
	require.Equal(t, content{}, contentOf(t, s, subjects...))
}

func lookUpAnyText(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	createIdentities(t, s, newUser("alice"))
	ensure(t, s, alice, "temporary")
	before := contentOf(t, s, subjects...)
	huge := strings.Repeat("a", 1<<16)
	for _, text := range append([]string{huge, huge + "\x00", "a\x00", "alice\x00", "a\xff"}, append(badTexts, likeTexts...)...) {
		subject := caveat.User(text)
		_, err := s.NamedKey(t.Context(), text)
		requireID(t, err, errors.IDNotFound, "named key %.20q", text)
		_, err = s.TemporaryKey(t.Context(), subject)
		requireID(t, err, errors.IDNotFound, "temporary key %.20q", text)
		_, err = s.GetToken(t.Context(), text)
		requireID(t, err, errors.IDNotFound, "token %.20q", text)
		requireID(t, s.DeleteToken(t.Context(), text), errors.IDNotFound, "delete %.20q", text)
		err = s.UpdateToken(t.Context(), text, func(*store.Token) error { return nil })
		requireID(t, err, errors.IDNotFound, "update %.20q", text)
		_, err = s.GetIdentity(t.Context(), subject)
		requireID(t, err, errors.IDNotFound, "identity %.20q", text)
		requireNoUser(t, s, text)
		err = s.UpdateIdentity(t.Context(), subject, func(*store.Identity) error { return nil })
		requireID(t, err, errors.IDNotFound, "update identity %.20q", text)
		requireID(t, s.DeleteIdentity(t.Context(), subject), errors.IDNotFound, "delete identity %.20q", text)
		require.NoError(t, s.DeleteTemporaryKey(t.Context(), subject), "delete temporary key %.20q", text)
		for _, q := range []store.Query{{Subject: subject}, {Subject: alice, Name: text}} {
			require.Empty(t, listAll(t, s, q), "list %.20q", text)
		}
	}
	require.Equal(t, before, contentOf(t, s, subjects...))
}
