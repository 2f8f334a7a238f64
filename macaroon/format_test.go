package macaroon_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

func TestInspectShowsEverythingButTheSignature(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{
		ID: "t1", Domain: "zone.example.com", Generation: 3, Subject: provider, Type: macaroon.SessionToken("s1"),
		Caveats: []caveat.Caveat{caveat.Time{ValidUntil: 1571147494}, caveat.MustParse("ip = 189.34.15.0/24")},
	})
	assert.Equal(t, `token     t1 (not verified)
domain    zone.example.com
type      access token for the session s1
subject   prv-p-krakow
kind      temporary, generation 3
expires   1571147494 (2019-10-15T13:51:34Z)
caveat    time < 1571147494
caveat    ip = 189.34.15.0/24
`, token.Inspect())
	assert.Contains(t, confineText(t, token, "moon = full").Inspect(), "unknown   moon = full\n")

	// Untrusted text cannot start a new line or control the terminal.
	hostile, err := parsePackets(packet("location", "a\x1b[2J\nexpires never") + packet("identifier", "id") +
		packet("cid", "x\ny\x1b]0;title\a") + packet("signature", "0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	assert.Equal(t, `token     id (not verified)
domain    "a\x1b[2J\nexpires never"
type      access token
subject   known to the issuer only (version 1)
kind      named
expires   never
unknown   "x\ny\x1b]0;title\a"
`, hostile.Inspect())
	// U+202E reverses the direction of the text after it.
	turned := parse(t, wire.Encode(packets("x\u202ey")))
	assert.Equal(t, `[access token "x\u202ey"]`, fmt.Sprint(turned))
	far := mint(t, macaroon.Spec{Caveats: []caveat.Caveat{caveat.Time{ValidUntil: 1<<63 - 1}}})
	assert.Contains(t, far.Inspect(), "expires   9223372036854775807\n")
}

func TestJSONOfAToken(t *testing.T) {
	t.Parallel()
	v, err := caveat.NewVocabulary(projectKind("42"))
	require.NoError(t, err)
	token := confineText(t, mint(t, macaroon.Spec{ID: "t1", Generation: 1}), "time < 5", "project = 42")
	assert.JSONEq(t, `{"onezoneDomain":"onezone","id":"t1","persistence":"temporary","subject":{"type":"user","id":"u-alice"},
		"type":{"accessToken":{}},"caveats":[{"type":"time","validUntil":5},{"type":"unknown","text":"project = 42"}]}`, toJSON(t, token))
	view, err := token.Examine(v)
	require.NoError(t, err)
	assert.Contains(t, string(view), `{"type":"project","value":"42"}`)
	old := mint(t, macaroon.Spec{Version: 1, ID: "old"})
	assert.JSONEq(t, `{"onezoneDomain":"onezone","id":"old","persistence":"named","subject":{"type":"nobody","id":null},
		"type":{"accessToken":{}},"caveats":[]}`, toJSON(t, old))
	assert.Equal(t, "null", toJSON(t, macaroon.Token{}))
}

// The JSON of a token lacks the signature, so it cannot be decoded.
func TestATokenCannotBeDecodedFromItsJSON(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	view, err := json.Marshal(token)
	require.NoError(t, err)
	read := token
	requireID(t, errors.IDBadToken, json.Unmarshal(view, &read))
	require.Equal(t, token.String(), read.String())
}

func TestACredentialMarshalsWhole(t *testing.T) {
	t.Parallel()
	type message struct {
		Token macaroon.Credential `json:"token"`
	}
	token := mint(t, macaroon.Spec{})
	data := toJSON(t, message{macaroon.Credential{Token: token}})
	assert.JSONEq(t, `{"token":"`+token.String()+`"}`, data)
	var back message
	require.NoError(t, json.Unmarshal([]byte(data), &back))
	assert.Equal(t, token.String(), back.Token.String())
	text, err := back.Token.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, token.String(), string(text))
	for _, bad := range []string{`{"token":5}`, `{"token":null}`, `{"token":""}`, `{"token":"x"}`} {
		assert.ErrorIs(t, json.Unmarshal([]byte(bad), &back), errors.IDBadToken, bad)
	}
	assert.NotContains(t, fmt.Sprint(back), token.String())
}

func TestTypes(t *testing.T) {
	t.Parallel()
	invite := macaroon.InviteToken(macaroon.UserJoinGroup, "g1")
	for typ, want := range map[macaroon.Type]struct {
		kind     macaroon.Class
		name     string
		describe string
		session  string
	}{
		macaroon.AccessToken():     {macaroon.Access, "access", "access token", ""},
		macaroon.SessionToken("s"): {macaroon.Access, "access", "access token for the session s", "s"},
		macaroon.IdentityToken():   {macaroon.Identity, "identity", "identity token", ""},
		invite:                     {macaroon.Invite, "invite", "invite token for a user to join the group g1", ""},
		{}:                         {0, "unknown", "token of an unknown type", ""},
	} {
		assert.Equal(t, want.kind, typ.Class())
		assert.Equal(t, want.name, typ.Class().String())
		assert.Equal(t, want.describe, typ.Describe())
		assert.Equal(t, want.session, typ.Session())
	}
	kind, target := invite.Invitation()
	assert.Equal(t, macaroon.UserJoinGroup, kind)
	assert.Equal(t, "g1", target)
	kind, target = macaroon.SessionToken("s").Invitation()
	assert.Zero(t, kind)
	assert.Empty(t, target)
	assert.Equal(t, "null", toJSON(t, macaroon.Type{}))
	assert.Equal(t, "unknown", macaroon.Type{}.String())
	_, err := macaroon.ParseType("acts")
	requireID(t, errors.IDBadValueTokenType, err)
}

func TestAllInviteTypes(t *testing.T) {
	t.Parallel()
	const count = 14
	seen := map[string]bool{}
	for i := macaroon.UserJoinGroup; i <= macaroon.GroupJoinAtmInventory; i++ {
		back, err := macaroon.ParseInviteType(i.String())
		require.NoError(t, err)
		assert.Equal(t, i, back)
		typ := macaroon.InviteToken(i, "target")
		seen[typ.String()] = true
		assert.Equal(t, typ, mint(t, macaroon.Spec{Type: typ}).Type())
		var read macaroon.Type
		require.NoError(t, json.Unmarshal([]byte(toJSON(t, typ)), &read))
		assert.Equal(t, typ, read)
		for _, p := range i.DefaultPrivileges() {
			assert.Contains(t, i.AllowedPrivileges(), p)
		}
		assert.Equal(t, i.DefaultPrivileges() == nil, i.AllowedPrivileges() == nil)
	}
	assert.Len(t, seen, count)
	assert.Equal(t, "any", macaroon.InviteType(0).String())
	_, err := macaroon.ParseInviteType("any")
	requireID(t, errors.IDBadValueNotAllowed, err)
	// The lists belong to the caller.
	macaroon.UserJoinCluster.AllowedPrivileges()[0] = "changed"
	assert.NotContains(t, macaroon.UserJoinCluster.DefaultPrivileges(), "changed")
}

func TestInvalidTypesInJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"accessToken":{"x":1},"identityToken":{}}`: "idn", `{"identityToken":5}`: "idn", `{"identityToken":null}`: "idn",
		`{"accessToken":{},"identityToken":{}}`: "act", `{"accessToken":{"sessionId":"s","x":1},"y":2}`: "act:s",
		`{"accessToken":{"x":1}}`: "", `{"accessToken":{"sessionId":5}}`: "", `{"accessToken":{"sessionId":null}}`: "",
		`{"accessToken":{"sessionId":"a/b c"}}`: "act:a/b c", `{"accessToken":null}`: "", `{"accessToken":[]}`: "", `"accessToken"`: "", `5`: "", `[]`: "", `null`: "",
		`{"inviteToken":{"inviteType":"userJoinGroup","groupId":"a/b"}}`: "ujg:a/b:",
		`{"inviteToken":{"inviteType":"userJoinGroup","groupId":""}}`:    "", `{"inviteToken":{"inviteType":"userJoinGroup","groupId":"a:b"}}`: "",
		`{"inviteToken":{"inviteType":"userJoinGroup","groupId":5}}`: "", `{"inviteToken":{"inviteType":"any","groupId":"g"}}`: "",
		`{"inviteToken":{"inviteType":"userJoinGroup","groupId":"g","parameters":5,"x":1}}`: "ujg:g:",
		`{"AccessToken":{}}`: "", `{}`: "",
	} {
		var typ macaroon.Type
		err := json.Unmarshal([]byte(text), &typ)
		if want == "" {
			if text != "null" { // encoding/json leaves a value alone for null
				assert.ErrorIs(t, err, errors.IDBadValueTokenType, text)
			}
			assert.Equal(t, macaroon.Type{}, typ, text)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, want, typ.String())
	}
}
