package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// newAuthority returns an authority with a user, alice, and her token.
func newAuthority(options ...macaroon.Option) (*macaroon.Authority, macaroon.Token) {
	ctx := context.Background()
	authority, err := macaroon.NewAuthority(memory.New(), options...)
	if err != nil {
		panic(err)
	}
	alice, err := authority.CreateUser(ctx, macaroon.NewUser{ID: "alice", Username: "alice", Password: "correct horse battery"})
	if err != nil {
		panic(err)
	}
	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	if err != nil {
		panic(err)
	}
	return authority, token
}

// call sends a request to a handler and returns the status and body.
func call(handler http.Handler, method, path, body string, headers ...string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// An application serves the token API from its own mux. A user gets a token for
// the password, and lists tokens with it.
func ExampleNewHandler() {
	authority, _ := newAuthority()
	handler, err := rest.NewHandler(authority)
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle(rest.Prefix+"/", handler)
	server := httptest.NewServer(mux)
	defer server.Close()

	request := func(method, path string, authenticate func(*http.Request)) (res *http.Response, body struct {
		Token  string
		Tokens []string
	}) {
		r, err := http.NewRequest(method, server.URL+rest.Prefix+path, nil)
		if err != nil {
			panic(err)
		}
		authenticate(r)
		if res, err = http.DefaultClient.Do(r); err != nil {
			panic(err)
		}
		defer func() { _ = res.Body.Close() }()
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
			panic(err)
		}
		return res, body
	}
	res, created := request("POST", "/user/client_tokens", func(r *http.Request) { r.SetBasicAuth("alice", "correct horse battery") })
	fmt.Println(res.StatusCode, created.Token != "")
	res, list := request("GET", "/user/tokens/named", func(r *http.Request) { r.Header.Set("X-Auth-Token", created.Token) })
	fmt.Println(res.StatusCode, len(list.Tokens), "tokens")

	// Output:
	// 200 true
	// 200 2 tokens
}

// A service without the token API authenticates its clients.
func ExampleAuthenticate() {
	authority, token := newAuthority()
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		if client.IsNobody() {
			_, _ = io.WriteString(w, "hello, stranger")
			return
		}
		_, _ = io.WriteString(w, "hello, "+client.Subject.ID)
	})
	handler := rest.Authenticate(authority)(hello)

	fmt.Println(call(handler, "GET", "/", ""))
	fmt.Println(call(handler, "GET", "/", "", "X-Auth-Token", token.String()))
	status, body := call(handler, "GET", "/", "", "X-Auth-Token", "stolen")
	fmt.Println(status, strings.Contains(body, "badToken"))

	// Output:
	// 200 hello, stranger
	// 200 hello, alice
	// 401 true
}

// Api caveats limit tokens to some files of a file service.
func ExampleRequire() {
	authority, token := newAuthority()
	files := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the content of "+r.PathValue("id"))
	})
	mux := http.NewServeMux()
	mux.Handle("GET /files/{id}", rest.Require(caveat.OpWorker, caveat.Get, "file.{id}.content:private")(files))
	handler := rest.Authenticate(authority)(mux)

	one, err := token.Confine(caveat.MustParse("api = opw/get/file.f1.content"))
	if err != nil {
		panic(err)
	}
	fmt.Println(call(handler, "GET", "/files/f2", "", "X-Auth-Token", token.String()))
	fmt.Println(call(handler, "GET", "/files/f1", "", "X-Auth-Token", one.String()))
	status, _ := call(handler, "GET", "/files/f2", "", "X-Auth-Token", one.String())
	fmt.Println(status)

	// Output:
	// 200 the content of f2
	// 200 the content of f1
	// 401
}

type projectKey struct{}

// inProject adds the project of a request to its context.
func inProject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), projectKey{}, r.PathValue("project"))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Authenticate decides a caveat of the application, "project = NAME".
// Middleware in front adds the project to the context.
func ExampleAuthenticate_applicationCaveat() {
	vocabulary, err := caveat.NewVocabulary(caveat.Kind{
		Name: "project",
		Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
			return ctx.Value(projectKey{}) == value, nil
		},
	})
	if err != nil {
		panic(err)
	}
	authority, token := newAuthority(macaroon.WithVocabulary(vocabulary))
	builds := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the builds of "+r.PathValue("project"))
	})
	mux := http.NewServeMux()
	mux.Handle("GET /{project}/builds", inProject(rest.Authenticate(authority)(builds)))

	onlyMoon, err := vocabulary.New("project", "moon")
	if err != nil {
		panic(err)
	}
	if token, err = token.ConfineIn(vocabulary, onlyMoon); err != nil {
		panic(err)
	}
	fmt.Println(call(mux, "GET", "/moon/builds", "", "X-Auth-Token", token.String()))
	status, _ := call(mux, "GET", "/mars/builds", "", "X-Auth-Token", token.String())
	fmt.Println(status)

	// Output:
	// 200 the builds of moon
	// 401
}

type authorKey struct{}

// A handler decides a caveat itself if only it knows what the request is about:
// here, the owner of the document.
func ExampleCheckLater() {
	vocabulary, err := caveat.NewVocabulary(caveat.Kind{
		Name: "author",
		Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
			return ctx.Value(authorKey{}) == value, nil
		},
	})
	if err != nil {
		panic(err)
	}
	authority, token := newAuthority(macaroon.WithVocabulary(vocabulary))
	authors := map[string]string{"1": "ada", "2": "bob"}
	documents := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		ctx := context.WithValue(r.Context(), authorKey{}, authors[r.PathValue("number")])
		if err := client.CheckKind(ctx, "author"); err != nil {
			rest.WriteError(w, err)
			return
		}
		_, _ = io.WriteString(w, "document "+r.PathValue("number"))
	})
	mux := http.NewServeMux()
	mux.Handle("GET /documents/{number}", documents)
	handler := rest.Authenticate(authority, rest.CheckLater("author"))(mux)

	byAda, err := vocabulary.New("author", "ada")
	if err != nil {
		panic(err)
	}
	if token, err = token.ConfineIn(vocabulary, byAda); err != nil {
		panic(err)
	}
	fmt.Println(call(handler, "GET", "/documents/1", "", "X-Auth-Token", token.String()))
	status, _ := call(handler, "GET", "/documents/2", "", "X-Auth-Token", token.String())
	fmt.Println(status)

	// Output:
	// 200 document 1
	// 401
}

// staff is an application's table of rights.
type staff struct{ admins []string }

func (s staff) ManagesTokens(_ context.Context, user caveat.Subject) (bool, error) {
	return slices.Contains(s.admins, user.ID), nil
}
func (staff) UpdatesCluster(context.Context, caveat.Subject, string) (bool, error) { return false, nil }
func (staff) InProvider(context.Context, caveat.Subject, string) (bool, error)     { return false, nil }
func (staff) InCluster(context.Context, caveat.Subject, string) (bool, error)      { return false, nil }

// An application without Oneproviders only has administrators.
func ExampleRights() {
	authority, token := newAuthority()
	for _, rights := range []rest.Rights{staff{}, staff{admins: []string{"alice"}}} {
		handler, err := rest.NewHandler(authority, rest.WithRights(rights))
		if err != nil {
			panic(err)
		}
		status, _ := call(handler, "GET", rest.Prefix+"/tokens/named", "", "X-Auth-Token", token.String())
		fmt.Println(status)
	}

	// Output:
	// 403
	// 200
}

// drive describes the data of an application: one space for each user, on one
// Oneprovider.
type drive struct{}

func (drive) Spaces(_ context.Context, user caveat.Subject) ([]rest.Space, error) {
	return []rest.Space{{ID: "home-" + user.ID, Name: "Home", Storages: []rest.Storage{{Provider: "p1"}}}}, nil
}

func (drive) Provider(_ context.Context, id string) (rest.ProviderInfo, error) {
	if id != "p1" {
		return rest.ProviderInfo{}, errors.NotFound()
	}
	return rest.ProviderInfo{Name: "drive", Domain: "drive.example.com", Version: "1.0", Online: true}, nil
}

// A client asks which spaces its token can access.
func ExampleDataScopes() {
	authority, token := newAuthority()
	handler, err := rest.NewHandler(authority, rest.WithDataScopes(drive{}))
	if err != nil {
		panic(err)
	}
	readonly, err := token.Confine(caveat.DataReadonly{})
	if err != nil {
		panic(err)
	}
	_, body := call(handler, "POST", rest.Prefix+"/tokens/infer_access_token_scope", `{"token":"`+readonly.String()+`"}`)
	fmt.Println(body)

	// Output:
	// {"dataAccessScope":{"readonly":true,"spaces":{"home-alice":{"name":"Home","supports":{"p1":{"readonly":false}}}},"providers":{"p1":{"name":"drive","domain":"drive.example.com","version":"1.0","online":true}}},"validUntil":null}
}

// campus recognizes the tokens of a university's identity provider by their
// prefix.
type campus struct{}

func (campus) Identify(_ context.Context, token string) (caveat.Subject, error) {
	switch {
	case !strings.HasPrefix(token, "campus/"):
		return caveat.Subject{}, errors.BadToken("")
	case token != "campus/4711":
		return caveat.Subject{}, errors.BadIdpAccessToken("campus")
	}
	return caveat.User("alice"), nil
}

// Accept tokens of another identity provider.
func ExampleIdentityProvider() {
	authority, _ := newAuthority()
	handler := rest.Authenticate(authority, rest.WithIdentityProvider(campus{}))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			client, _ := rest.ClientFrom(r.Context())
			_, _ = io.WriteString(w, client.Subject.String())
		}))
	fmt.Println(call(handler, "GET", "/", "", "Authorization", "Bearer campus/4711"))
	status, body := call(handler, "GET", "/", "", "Authorization", "Bearer campus/0815")
	fmt.Println(status, strings.Contains(body, "badIdpAccessToken"))

	// Output:
	// 200 usr-alice
	// 401 true
}
