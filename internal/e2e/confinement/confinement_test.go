//go:build e2e

package confinement_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

var alice = caveat.User("alice")

// target is an API with one user.
type target struct {
	t         *testing.T
	authority *macaroon.Authority
	url       string
}

func newTarget(t *testing.T) *target {
	t.Helper()
	a, err := macaroon.NewAuthority(memory.New())
	require.NoError(t, err)
	_, err = a.CreateUser(t.Context(), macaroon.NewUser{ID: alice.ID, Username: "alice", Password: "correct horse"})
	require.NoError(t, err)
	handler, err := rest.NewHandler(a)
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &target{t, a, server.URL + rest.Prefix}
}

func (g *target) issue(name string) macaroon.Token {
	g.t.Helper()
	token, err := g.authority.IssueNamed(g.t.Context(), name, macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	require.NoError(g.t, err)
	return token
}

// do sends a request and returns the status and the body.
func (g *target) do(method, path, token string, body any) (int, []byte) {
	g.t.Helper()
	var text []byte
	if body != nil {
		var err error
		text, err = json.Marshal(body)
		require.NoError(g.t, err)
	}
	r, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, strings.NewReader(string(text)))
	require.NoError(g.t, err)
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	require.NoError(g.t, err)
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	require.NoError(g.t, err)
	return res.StatusCode, answer
}

// tokensIn returns the texts of tokens in an answer.
func tokensIn(t *testing.T, answer []byte) []macaroon.Token {
	t.Helper()
	var body struct {
		Token  string
		Tokens []string
	}
	require.NoError(t, json.Unmarshal(answer, &body), "%s", answer)
	var tokens []macaroon.Token
	for _, text := range append(body.Tokens, body.Token) {
		if token, err := macaroon.Parse(text); err == nil {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// A client whose token is confined to 60 seconds, one network and one service
// requests tokens from every route that returns them. Each must carry its
// caveats.
func TestConfinementIsNotEscapedOverHTTP(t *testing.T) {
	g := newTarget(t)
	kept := g.issue("kept")
	texts := []string{fmt.Sprintf("time < %d", time.Now().Unix()+60), "ip = 127.0.0.0/8", "service = ozw-onezone"}
	client := g.issue("client")
	for _, text := range texts {
		var err error
		client, err = client.Confine(caveat.MustParse(text))
		require.NoError(t, err)
	}
	soon := []any{map[string]any{"type": "time", "validUntil": time.Now().Unix() + 30}}
	seen, escaped := 0, 0
	for _, request := range []struct {
		method, path string
		body         any
		status       int
	}{
		{http.MethodPost, "/user/tokens/named", map[string]any{"name": "one"}, 201},
		{http.MethodPost, "/users/alice/tokens/named", map[string]any{"name": "two"}, 201},
		{http.MethodPost, "/user/tokens/temporary", map[string]any{"caveats": soon}, 201},
		{http.MethodPost, "/users/alice/tokens/temporary", map[string]any{"caveats": soon}, 201},
		{http.MethodPost, "/user/client_tokens", nil, 200},
		{http.MethodGet, "/user/client_tokens", nil, 200},
		{http.MethodGet, "/tokens/named/" + kept.ID(), nil, 200},
		{http.MethodGet, "/user/tokens/named/name/kept", nil, 200},
		{http.MethodGet, "/users/alice/tokens/named/name/kept", nil, 200},
	} {
		status, answer := g.do(request.method, request.path, client.String(), request.body)
		require.Equal(t, request.status, status, "%s %s: %s", request.method, request.path, answer)
		for _, token := range tokensIn(t, answer) {
			seen++
			for _, text := range texts {
				if !slices.Contains(token.Caveats(), text) {
					escaped++
					t.Errorf("%s %s gave a token without %q", request.method, request.path, text)
					break
				}
			}
		}
	}
	t.Logf("%d tokens given out, %d of them less confined than the client's", seen, escaped)
	require.GreaterOrEqual(t, seen, 9)
}

// For forged tokens, the answer of confine does not depend on the subject.
func TestConfineRevealsNothingAboutForgedTokensOverHTTP(t *testing.T) {
	g := newTarget(t)
	_, err := g.authority.CreateUser(t.Context(), macaroon.NewUser{ID: "mallory"})
	require.NoError(t, err)
	require.NoError(t, g.authority.SetBlocked(t.Context(), caveat.User("mallory"), true))
	told := 0
	for subject, id := range map[string]string{"alice": "1", "mallory": "2", "nobody-of-that-id": "3"} {
		forged, err := macaroon.Mint(macaroon.Spec{
			Domain: "onezone", ID: id, Subject: caveat.User(subject), Type: macaroon.AccessToken(),
		}, store.NewSecret("a guess"))
		require.NoError(t, err)
		status, answer := g.do(http.MethodPost, "/tokens/confine", "", map[string]any{
			"token": forged.String(), "caveats": []any{map[string]any{"type": "time", "validUntil": 1}},
		})
		if status != http.StatusOK {
			told++
			t.Errorf("of %s: %d %s", subject, status, answer)
		}
	}
	t.Logf("%d of 3 subjects of forged tokens told apart", told)
}
