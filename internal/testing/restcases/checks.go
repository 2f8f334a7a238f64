package restcases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/store"
)

// check checks an answer and the world after the request.
type check func(tb testing.TB, w *Fixture, res macaroontest.Response)

// decoded returns a JSON text as a value to compare.
func decoded(tb testing.TB, text []byte) (v any) {
	tb.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		tb.Errorf("this is no JSON: %s", text)
	}
	return v
}

func sameJSON(tb testing.TB, got, want []byte) {
	tb.Helper()
	if !reflect.DeepEqual(decoded(tb, got), decoded(tb, want)) {
		tb.Errorf("got  %s\nwant %s", got, want)
	}
}

// answers checks that the answer is exactly this.
func answers(want string) check {
	return func(tb testing.TB, w *Fixture, res macaroontest.Response) {
		tb.Helper()
		sameJSON(tb, res.Body, []byte(w.fill(want)))
	}
}

// byName returns a token that the world has from the start.
func (w *Fixture) byName(name string) macaroon.Token {
	switch name {
	case "laptop":
		return w.Laptop
	case "transfer":
		return w.Transfer
	}
	return macaroon.Token{}
}

// given returns the token as the client of the request receives it.
func (w *Fixture) given(tb testing.TB, t macaroon.Token) macaroon.Token {
	tb.Helper()
	t, err := t.Confine(w.inherited...)
	w.must(tb, err)
	return t
}

// showsNamed checks that the answer is one of the world's tokens, in full.
func showsNamed(name string) check {
	return func(tb testing.TB, w *Fixture, res macaroontest.Response) {
		tb.Helper()
		t := w.given(tb, w.byName(name))
		want := object{
			"id": t.ID(), "name": name, "subject": t.Subject(), "type": object{"accessToken": object{}},
			"caveats":  append([]caveat.Caveat{}, w.inherited...),
			"metadata": object{"creationTime": macaroontest.Start.Unix(), "custom": object{}},
			"revoked":  false, "token": t.String(),
			"parentTokenId": nil, "serverCaveats": []any{}, "serverCaveatsAdded": []any{},
		}
		if len(w.inherited) == 0 {
			want["bait"] = nil // a client with caveats does not learn which tokens are canaries
		}
		sameJSON(tb, res.Body, mustMarshal(tb, want))
	}
}

// showsFamily checks the family of a token that has minted no other.
func showsFamily(name string) check {
	return func(tb testing.TB, w *Fixture, res macaroontest.Response) {
		tb.Helper()
		t := w.byName(name)
		sameJSON(tb, res.Body, mustMarshal(tb, object{
			"id": t.ID(), "name": name, "subject": t.Subject(), "type": object{"accessToken": object{}},
			"creationTime": macaroontest.Start.Unix(), "revoked": false, "children": []any{}, "truncated": false,
		}))
	}
}

// isRevoked checks that this token is revoked.
func isRevoked(name string) check {
	return func(tb testing.TB, w *Fixture, _ macaroontest.Response) {
		tb.Helper()
		n, err := w.Authority.Get(tb.Context(), w.byName(name).ID())
		w.must(tb, err)
		if !n.Revoked {
			tb.Error("the token is not revoked")
		}
	}
}

// renamed checks that a token has the name "desk" and is otherwise unchanged.
func renamed(name string) check {
	return func(tb testing.TB, w *Fixture, _ macaroontest.Response) {
		tb.Helper()
		n, err := w.Authority.Get(tb.Context(), w.byName(name).ID())
		w.must(tb, err)
		if n.Name != "desk" || n.Revoked || string(n.Custom) != "{}" {
			tb.Errorf("the record is %q, revoked %v, %s", n.Name, n.Revoked, n.Custom)
		}
	}
}

// gone checks that this token is deleted, and no other.
func gone(name string) check {
	return func(tb testing.TB, w *Fixture, _ macaroontest.Response) {
		tb.Helper()
		if _, err := w.Authority.Get(tb.Context(), w.byName(name).ID()); !errors.Is(err, errors.IDNotFound) {
			tb.Errorf("getting the deleted token: %v", err)
		}
		if all := w.ids(tb, caveat.Subject{}); len(all) != 3 {
			tb.Errorf("%d tokens are left, want 3", len(all))
		}
	}
}

// ids returns the ids of a subject's tokens in the store, or of all tokens.
func (w *Fixture) ids(tb testing.TB, subject caveat.Subject) []string {
	tb.Helper()
	page, _, err := w.Store.ListTokens(tb.Context(), store.Query{Subject: subject, Limit: store.MaxPage})
	w.must(tb, err)
	ids := []string{}
	for _, t := range page {
		ids = append(ids, t.ID)
	}
	return ids
}

// tokens decodes the answer of a list.
func tokens(tb testing.TB, res macaroontest.Response) []string {
	tb.Helper()
	var body struct{ Tokens []string }
	res.JSON(tb, &body)
	if body.Tokens == nil {
		tb.Errorf("the answer has no list: %s", res.Body)
	}
	return body.Tokens
}

func sameList(tb testing.TB, got, want []string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("the list is %q, want %q", got, want)
	}
}

// listsAll checks the list of all tokens. They were created in the same second
// and are therefore in the order of their ids.
func listsAll(tb testing.TB, w *Fixture, res macaroontest.Response) {
	tb.Helper()
	want := []string{w.Laptop.ID(), w.Transfer.ID(), w.ID.ID(), w.Invite.ID()}
	slices.Sort(want)
	sameList(tb, tokens(tb, res), want)
}

// subject returns the subject whose tokens the routes of the holder manage.
func (h holder) subject() caveat.Subject {
	switch {
	case h.missing:
		return caveat.User("u-nobody")
	case h.kind == "provider":
		return Krakow
	}
	return Alice
}

func listsOf(h holder) check {
	return func(tb testing.TB, w *Fixture, res macaroontest.Response) {
		tb.Helper()
		want := map[caveat.Subject][]string{Alice: {w.Laptop.ID(), w.ID.ID(), w.Invite.ID()}, Krakow: {w.Transfer.ID()}}[h.subject()]
		slices.Sort(want)
		sameList(tb, tokens(tb, res), want)
	}
}

// emptied checks that the subject has no tokens and that all others remain.
func emptied(h holder) check {
	return func(tb testing.TB, w *Fixture, _ macaroontest.Response) {
		tb.Helper()
		sameList(tb, w.ids(tb, h.subject()), []string{})
		left := map[caveat.Subject]int{Alice: 1, Krakow: 3}[h.subject()]
		if h.missing {
			left = 4
		}
		if all := w.ids(tb, caveat.Subject{}); len(all) != left {
			tb.Errorf("%d tokens are left of everybody's, want %d", len(all), left)
		}
	}
}

// rotated checks that the subject's temporary tokens have the next generation.
// It is the first if the subject had no secret.
func rotated(h holder) check {
	return func(tb testing.TB, w *Fixture, _ macaroontest.Response) {
		tb.Helper()
		want := int64(2)
		if h.missing {
			want = 1
		}
		got, err := w.Authority.TemporaryGeneration(tb.Context(), h.subject())
		w.must(tb, err)
		if got != want {
			tb.Errorf("the generation is %d, want %d", got, want)
		}
	}
}

// token parses the token in an answer.
func (w *Fixture) token(tb testing.TB, res macaroontest.Response) macaroon.Token {
	tb.Helper()
	var body struct{ Token string }
	res.JSON(tb, &body)
	t, err := w.Authority.Parse(body.Token)
	w.must(tb, err)
	return t
}

// verified checks that a token is valid.
func (w *Fixture) verified(tb testing.TB, t macaroon.Token) {
	tb.Helper()
	if _, err := w.Authority.VerifyAccess(tb.Context(), t.String(), caveat.Request{}); err != nil {
		tb.Errorf("the token is not valid: %v", err)
	}
}

func isCreated(tb testing.TB, w *Fixture, res macaroontest.Response) {
	tb.Helper()
	t := w.token(tb, res)
	w.verified(tb, t)
	sameJSON(tb, res.Body, mustMarshal(tb, object{"tokenId": t.ID(), "token": t.String()}))
	if got, want := res.Header.Get("Location"), "https://onezone.example.com/api/v3/onezone/tokens/named/"+t.ID(); got != want {
		tb.Errorf("Location is %q, want %q", got, want)
	}
	n, err := w.Authority.Get(tb.Context(), t.ID())
	w.must(tb, err)
	if n.Name != "phone" || n.Token.String() != t.String() {
		tb.Errorf("the record is of %v, called %q", n.Token, n.Name)
	}
}

func isTemporary(tb testing.TB, w *Fixture, res macaroontest.Response) {
	tb.Helper()
	t := w.token(tb, res)
	w.verified(tb, t)
	sameJSON(tb, res.Body, mustMarshal(tb, object{"token": t.String()}))
	if t.Generation() != 1 || len(w.ids(tb, caveat.Subject{})) != 4 {
		tb.Errorf("the token is of generation %d, and there are %d records", t.Generation(), len(w.ids(tb, caveat.Subject{})))
	}
	if res.Header.Get("Location") != "" {
		tb.Error("there is a Location")
	}
}

var clientTokenName = regexp.MustCompile(`^access token 2024-10-01T12\.00\.00Z [0-9a-f]{6}$`)

func isClientToken(tb testing.TB, w *Fixture, res macaroontest.Response) {
	tb.Helper()
	t := w.token(tb, res)
	w.verified(tb, t)
	sameJSON(tb, res.Body, mustMarshal(tb, object{"token": t.String()}))
	if res.Header.Get("Location") != "" {
		tb.Error("there is a Location")
	}
	n, err := w.Authority.Get(tb.Context(), t.ID())
	w.must(tb, err)
	until, _ := t.Expiry()
	if !clientTokenName.MatchString(n.Name) || n.Subject != Alice || until != macaroontest.Start.Unix()+31536000 || len(t.Caveats()) != 1+len(w.inherited) {
		tb.Errorf("the token is %q of %v, good until %d, with %q", n.Name, n.Subject, until, t.Caveats())
	}
}

func listsClientTokens(tb testing.TB, w *Fixture, res macaroontest.Response) {
	tb.Helper()
	sameList(tb, tokens(tb, res), []string{w.given(tb, w.Laptop).String()})
}

// listsRecords checks that the answer has the records of Alice's tokens, without
// their texts.
func listsRecords(tb testing.TB, w *Fixture, res macaroontest.Response) {
	tb.Helper()
	answer, _ := decoded(tb, res.Body).(map[string]any)
	list, _ := answer["tokens"].([]any)
	names := map[any]bool{}
	for _, each := range list {
		record, _ := each.(map[string]any)
		names[record["name"]] = true
		one := w.Do(tb, Request{Method: http.MethodGet, Path: "/tokens/named/" + fmt.Sprint(record["id"]), As: w.By(tb, Ada)})
		want, _ := decoded(tb, one.Response.Body).(map[string]any)
		delete(want, "token")
		if len(w.inherited) > 0 {
			delete(want, "bait") // Ada's token has no caveats
		}
		sameJSON(tb, mustMarshal(tb, record), mustMarshal(tb, want))
	}
	if len(list) != 3 || !names["laptop"] || !names["identity"] || !names["invitation"] {
		tb.Errorf("the records are %v", names)
	}
}

// confinedCopy returns a copy of the token with that name, else of Alice's.
func (w *Fixture) confinedCopy(name string) macaroon.Token {
	t := w.Laptop
	if name == "transfer" {
		t = w.Transfer
	}
	t, err := t.Confine(caveat.REST)
	w.must(w.tb, err)
	return t
}

// copyRevoked checks that the copy is revoked, and the token is not.
func copyRevoked(name string) check {
	return func(tb testing.TB, w *Fixture, _ macaroontest.Response) {
		tb.Helper()
		copied := w.confinedCopy(name)
		req := caveat.Request{Interface: caveat.REST}
		if _, err := w.Authority.VerifyAccess(tb.Context(), copied.String(), req); !errors.Is(err, errors.IDTokenRevoked) {
			tb.Errorf("the copy: %v", err)
		}
		whole := map[string]macaroon.Token{"laptop": w.Laptop, "transfer": w.Transfer}[name]
		if _, err := w.Authority.VerifyAccess(tb.Context(), whole.String(), req); err != nil {
			tb.Errorf("the token: %v", err)
		}
	}
}
