// Package restcases contains the test cases of the token API: requests to every
// route, and the answers that the specification demands. Several tests use
// them.
package restcases

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// Group is the subject of a case.
type Group string

// The groups of cases that every route has, and BadInput for those with a body.
const (
	Success  Group = "success"
	Refusal  Group = "refusal"
	BadInput Group = "bad input"
	Protocol Group = "protocol"
	Order    Group = "order"
)

// Case is one request to a route in a new world, and the expected answer.
type Case struct {
	Route string // "GET /tokens/named/{id}", as in the table of routes
	Group Group
	Name  string
	// Make prepares the world and returns the request.
	Make func(w *Fixture) (Request, Want)
}

// Request is the request of a client. The zero Header and Body are empty.
type Request struct {
	Method string
	Path   string // below the prefix of the API, escaped
	Header http.Header
	Body   string
	As     macaroontest.Credentials
}

// Want is the expected answer.
type Want struct {
	Status int
	// Error is the error in the body; nil: none.
	Error *errors.Error
	// Body says that the answer has none (false: a success or error in JSON).
	Empty bool
	// Check makes further checks of the answer and of the world after the
	// request.
	Check func(tb testing.TB, w *Fixture, res macaroontest.Response)
}

// refused returns the answer with an error.
func refused(e *errors.Error) Want { return Want{Status: e.HTTPStatus(), Error: e} }

// bare returns an answer without a body.
func bare(status int) Want { return Want{Status: status, Empty: true} }

// Exchange is a request and its answer.
type Exchange struct {
	Request  *http.Request
	Body     string // of the request
	Response macaroontest.Response
}

// Run sends the request and checks the answer.
func (c Case) Run(tb testing.TB) Exchange {
	tb.Helper()
	w := NewFixture(tb)
	req, want := c.Make(w)
	x := w.Do(tb, req)
	want.verify(tb, w, x.Response)
	return x
}

// Do sends the request to the API of the world.
func (w *Fixture) Do(tb testing.TB, req Request) Exchange {
	tb.Helper()
	r := httptest.NewRequest(req.Method, Prefix+req.Path, strings.NewReader(req.Body)).WithContext(tb.Context())
	r.RemoteAddr = PeerIP + ":50000"
	if req.Body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if req.As != nil {
		req.As(r)
	}
	maps.Copy(r.Header, req.Header)
	rec := httptest.NewRecorder()
	w.Handler.ServeHTTP(rec, r)
	return Exchange{r, req.Body, macaroontest.Response{Status: rec.Code, Header: rec.Header(), Body: rec.Body.Bytes()}}
}

func (want Want) verify(tb testing.TB, w *Fixture, res macaroontest.Response) {
	tb.Helper()
	if res.Status != want.Status {
		tb.Errorf("status %d, want %d: %s", res.Status, want.Status, res.Body)
		return
	}
	Check(tb, w, res)
	switch {
	case want.Empty || res.Status == http.StatusNoContent:
		if len(res.Body) > 0 {
			tb.Errorf("the answer has a body: %s", res.Body)
		}
	case want.Error != nil:
		want, got := errorOf(tb, mustMarshal(tb, errors.Envelope{Error: want.Error})), errorOf(tb, res.Body)
		if !reflect.DeepEqual(got, want) {
			tb.Errorf("the error is\n%v, want\n%v", got, want)
		}
	case len(res.Body) == 0:
		tb.Error("the answer has no body")
	}
	if want.Check != nil {
		want.Check(tb, w, res)
	}
}

// Check makes the checks that apply to all answers of the API.
func Check(tb testing.TB, w *Fixture, res macaroontest.Response) {
	tb.Helper()
	header := func(name, value string) {
		tb.Helper()
		if got := res.Header.Get(name); got != value {
			tb.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	header("Access-Control-Allow-Origin", "*")
	if len(res.Body) > 0 || res.Header.Get("Content-Length") != "" { // HEAD has the headers of a body
		header("Content-Type", "application/json")
		header("X-Content-Type-Options", "nosniff")
	} else {
		header("Content-Type", "")
	}
	challenged := res.Header.Get("WWW-Authenticate") != ""
	if challenged != (res.Status == http.StatusUnauthorized) {
		tb.Errorf("WWW-Authenticate on %d: %v", res.Status, challenged)
	}
	header("Cache-Control", "no-store")
	for _, secret := range w.secrets(tb) {
		if strings.Contains(string(res.Body), secret) {
			tb.Error("the answer shows a secret")
		}
	}
	if res.Status >= 400 && len(res.Body) > 0 {
		checkError(tb, res)
	}
}

// showsToken reports whether the body contains a token: all tokens begin with a
// location packet.
func showsToken(body []byte) bool { return strings.Contains(string(body), `"MDAy`) }

// checkError checks that the whole body is an error of the catalogue.
func checkError(tb testing.TB, res macaroontest.Response) {
	tb.Helper()
	var envelope struct{ Error map[string]any }
	if err := json.Unmarshal(res.Body, &envelope); err != nil {
		tb.Errorf("the error is no JSON: %v", err)
		return
	}
	if extra := slices.DeleteFunc(slices.Collect(maps.Keys(envelope.Error)), func(key string) bool {
		return key == "id" || key == "details" || key == "description"
	}); len(extra) > 0 {
		tb.Errorf("the error has the keys %v", extra)
	}
	description, _ := envelope.Error["description"].(string)
	if !strings.HasSuffix(description, ".") {
		tb.Errorf("the description is %q", description)
	}
	if details, ok := envelope.Error["details"]; ok && details == nil {
		tb.Error("the details are null")
	}
	if showsToken([]byte(description)) {
		tb.Error("the description shows a token")
	}
	var typed errors.Envelope
	if err := json.Unmarshal(res.Body, &typed); err != nil {
		tb.Errorf("the error is not readable: %v", err)
		return
	}
	special := map[int]bool{http.StatusRequestEntityTooLarge: true, http.StatusTooManyRequests: true}
	if typed.Error.HTTPStatus() != res.Status && !special[res.Status] {
		tb.Errorf("the error %v comes with status %d", typed.Error, res.Status)
	}
}

// errorOf returns the error of a body without its descriptions.
func errorOf(tb testing.TB, body []byte) any {
	tb.Helper()
	var v struct{ Error any }
	if err := json.Unmarshal(body, &v); err != nil {
		tb.Errorf("the answer is no JSON: %v", err)
	}
	return withoutDescriptions(v.Error)
}

func withoutDescriptions(v any) any {
	if m, ok := v.(map[string]any); ok {
		if _, isError := m["id"]; isError {
			delete(m, "description")
		}
		for key := range m {
			m[key] = withoutDescriptions(m[key])
		}
	}
	return v
}

func mustMarshal(tb testing.TB, v any) []byte {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatalf("encoding: %v", err)
	}
	return data
}
