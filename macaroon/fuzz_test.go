package macaroon_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
	"github.com/onezone-go/onezone/store"
)

// tokenSeeds are the seeds for fuzzing: tokens of all classes and forms,
// including those of the original Onezone, and invalid texts similar to tokens.
func tokenSeeds(t testing.TB) []string {
	t.Helper()
	raw := packets(identifierText, "time < 5", "moon = full", "\xfb\xff\xfe")
	third := packet("location", "l") + packet("identifier", "i") + packet("cid", "c") + packet("vid", "v") + packet("cl", "x") +
		packet("signature", strings.Repeat("s", 32))
	return []string{
		"", "x", "opw-", "MDAx", "xyz-MDAx",
		mint(t, macaroon.Spec{Caveats: holding}).String(),
		mint(t, macaroon.Spec{Version: 1, ID: "legacy"}).String(),
		mint(t, macaroon.Spec{Type: macaroon.InviteToken(macaroon.SupportSpace, "s1")}).String(),
		"opp-" + mint(t, macaroon.Spec{Subject: provider, Generation: 3}).String(),
		wire.Encode(packets("x/y", "ip = 1.2.3.4")),
		wire.Encode(third),
		wire.Encode(raw + "\n"),
		wire.Encode(strings.Replace(raw, "002f", "002F", 1)),
		plain64(raw), base64.StdEncoding.EncodeToString([]byte(raw)), "opw-" + base64.URLEncoding.EncodeToString([]byte(raw)),
		"MDAxNWxvY2F00aW9uIG9uZXpvbmUKMDAzYmlkZW500aWZpZXIgSlVxNGFLVkJSTXVFN3FLbHNQVHlNX00lLeHpYZXNWdVFSMGNfMldpOXFZNAowMDFhY2lkIHRpbWUgPCAxNTIyMzU4MzMzCjAwMmZzaWduYXR1cmUgv02ByyOA9802H02rPMB7Y9mIhDVAjYDmjAUjtrMs13znukK",
	}
}

// Fuzzing is effective only if the parsers accept the seeds.
func TestTheSeedsReachWhatIsFuzzed(t *testing.T) {
	t.Parallel()
	read, refused := 0, 0
	for _, s := range tokenSeeds(t) {
		if _, err := macaroon.Parse(s); err == nil {
			read++
		} else {
			refused++
		}
	}
	assert.GreaterOrEqual(t, read, 10)
	assert.GreaterOrEqual(t, refused, 5)
	good := 0
	for _, s := range typeSeeds {
		if new(macaroon.Type).UnmarshalJSON([]byte(s)) == nil {
			good++
		}
	}
	assert.GreaterOrEqual(t, good, 5)
}

func FuzzParseToken(f *testing.F) {
	for _, s := range tokenSeeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := macaroon.Parse(text)
		if err != nil {
			requireOneOf(t, err, errors.IDBadToken, errors.IDTokenTooLarge)
			return
		}
		printed := token.String()
		if again := parse(t, printed); again.String() != printed {
			t.Fatalf("%q prints as %q and then as %q", text, printed, again.String())
		}
		if i := token.Indicated(); i != 0 {
			text = text[4:]
		}
		plain := strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
		if printed != text && plain != plain64(rawOf(t, printed)) {
			t.Fatalf("%q prints as %q, which is neither it nor its plain base64", text, printed)
		}
		_ = token.Inspect()
		toJSON(t, token)
		agreesWithV2(t, token)
	})
}

func requireOneOf(t *testing.T, err error, ids ...errors.ID) {
	t.Helper()
	for _, id := range ids {
		if errors.Is(err, id) {
			return
		}
	}
	t.Fatalf("the error is %v, want one of %v", err, ids)
}

// agreesWithV2 compares the token with the result of gopkg.in/macaroon.v2, and
// whether that library accepts the signature.
func agreesWithV2(t *testing.T, token macaroon.Token) {
	t.Helper()
	m, err := token.Macaroon()
	if err != nil {
		t.Fatalf("macaroon.v2 does not read what is accepted here: %v", err)
	}
	var first []string
	third := false
	for _, c := range m.Caveats() {
		if len(c.VerificationId) > 0 {
			third = true
			continue
		}
		first = append(first, string(c.Id))
	}
	if string(m.Signature()) != string(token.Signature()) || m.Location() != token.Domain() ||
		strings.Join(first, "\n") != strings.Join(token.Caveats(), "\n") {
		t.Fatal("macaroon.v2 reads something else")
	}
	back, err := macaroon.FromMacaroon(m)
	if err != nil || back.String() != token.String() {
		t.Fatalf("the way there and back: %v", err)
	}
	if third {
		return
	}
	_, theirs := m.VerifySignature([]byte(secret.Reveal()), nil)
	_, ours := token.Verify(t.Context(), secret, caveat.Request{Now: time.Unix(1, 0)})
	if (theirs != nil) != errors.Is(ours, errors.IDTokenInvalid) {
		t.Fatalf("signature: macaroon.v2 says %v, here it is %v", theirs, ours)
	}
}

func FuzzConfineText(f *testing.F) {
	for _, s := range []string{"time < 5", "moon = full", "", "a\nb", "\xff", strings.Repeat("x", 70_000)} {
		f.Add(s, "id")
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		token, err := macaroon.Mint(macaroon.Spec{Domain: "d", ID: id, Subject: alice, Type: macaroon.AccessToken()}, secret)
		if err != nil {
			requireOneOf(t, err, errors.IDBadValueIdentifier)
			return
		}
		confined, err := token.ConfineUnchecked(text)
		if err != nil {
			requireOneOf(t, err, errors.IDBadValueCaveat, errors.IDBadToken)
			return
		}
		read := parse(t, confined.String())
		if got := read.Caveats(); len(got) != 1 || got[0] != text || read.ID() != id {
			t.Fatalf("%q of %q became %q of %q", text, id, got, read.ID())
		}
		agreesWithV2(t, read)
	})
}

// typeSeeds are types in JSON, and invalid JSON similar to types.
var typeSeeds = []string{
	`{"accessToken":{"sessionId":" "}}`, `{"inviteToken":{"inviteType":"userJoinGroup","groupId":"a/b"}}`,
	`{"accessToken":{}}`, `{"accessToken":{"sessionId":"s"}}`, `{"identityToken":null}`, `{"accessToken":{"x":1},"identityToken":{}}`,
	`{"inviteToken":{"inviteType":"supportSpace","spaceId":"s1","parameters":{}}}`,
	`{"inviteToken":{"inviteType":"userJoinGroup","groupId":"g:1"}}`, `{"accessToken":{"sessionId":""}}`, `null`, `[]`, `"accessToken"`,
}

func FuzzTypeJSON(f *testing.F) {
	for _, s := range typeSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var typ macaroon.Type
		if err := typ.UnmarshalJSON(data); err != nil {
			requireOneOf(t, err, errors.IDBadValueTokenType)
			return
		}
		back, err := macaroon.ParseType(typ.String())
		if err != nil || back != typ {
			t.Fatalf("%s reads as %v, which reads back as %v, %v", data, typ, back, err)
		}
		token, err := macaroon.Mint(macaroon.Spec{Domain: "d", ID: "i", Subject: alice, Type: typ}, store.NewSecret("s"))
		if err != nil { // no identifier can hold the session or target
			requireOneOf(t, err, errors.IDBadValueTokenType)
			if _, target := typ.Invitation(); !strings.ContainsFunc(typ.Session()+target, isOddInIdentifiers) {
				t.Fatalf("%v cannot be minted: %v", typ, err)
			}
		} else if got := parse(t, token.String()).Type(); got != typ {
			t.Fatalf("%v came back as %v", typ, got)
		}
		var again macaroon.Type
		if err := again.UnmarshalJSON([]byte(toJSON(t, typ))); err != nil || again != typ {
			t.Fatalf("%v in JSON came back as %v, %v", typ, again, err)
		}
	})
}

func isOddInIdentifiers(r rune) bool {
	return r == '/' || r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.IsSpace(r)
}
