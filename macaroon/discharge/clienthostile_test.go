package discharge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// A location in a macaroon is not signed: anyone who held it may have put there
// the address of an internal service.
func TestNothingIsFetchedFromOtherLocations(t *testing.T) {
	good, internal := serveCheck(t, grants), serveCheck(t, grants)
	c := clientOf(t, []string{good.url})
	host := strings.TrimPrefix(good.url, "http://")
	for _, location := range []string{
		internal.url, "", "/", good.url + "/x", good.url + "/../", good.url + "//", good.url + "?", good.url + "#", "HTTP://" + host,
		"http://user@" + host, "https://" + host, "file:///etc/passwd", "http://169.254.169.254", good.url + "@" + internal.url,
		" " + good.url, good.url + "\x00", strings.Repeat("x", 1000),
	} {
		_, err := c.Discharge(t.Context(), needing(t, good.url, location))
		require.ErrorIs(t, err, errors.IDBadData, location)
		assert.Less(t, len(err.Error()), 500)
	}
	assert.Zero(t, good.requests.Load(), "nothing is fetched if one location is not allowed")
	assert.Zero(t, internal.requests.Load())

	// The same for the caveats of a discharge.
	trap := serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		further, err := dischargerKey.Public().Caveat(internal.url, "c")
		return discharge.Grant().Needing(further), err
	})
	_, err := clientOf(t, []string{trap.url}).Discharge(t.Context(), needing(t, trap.url))
	require.ErrorIs(t, err, errors.IDBadData)
	assert.Zero(t, internal.requests.Load())
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	internal := serveCheck(t, grants)
	for _, target := range []string{internal.url + "/discharge", "file:///etc/passwd", "/discharge", "//" + strings.TrimPrefix(internal.url, "http://")} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			s := serve(t, http.RedirectHandler(target, status))
			_, err := clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
			require.ErrorContains(t, err, "redirect")
			requireOperational(t, err)
			assert.EqualValues(t, 1, s.requests.Load())
		}
	}
	assert.Zero(t, internal.requests.Load())
}

func TestAnswersThatAreNotADischarge(t *testing.T) {
	other := macaroonOf(t, "another", rootKey)
	text, err := other.Encode(general.V2JSON)
	require.NoError(t, err)
	binary, err := other.Encode(general.V2)
	require.NoError(t, err)
	for name, body := range map[string]string{
		"of another caveat":     `{"Macaroon":` + text + `}`,
		"empty":                 ``,
		"no macaroon":           `{}`,
		"null":                  `{"Macaroon":null}`,
		"not JSON":              `<html>`,
		"a list":                `[]`,
		"trailing bytes":        `{"Macaroon":` + text + `} x`,
		"two macaroons":         `{"Macaroon":` + text + `,"Macaroon":` + text + `}`,
		"in base64":             `{"Macaroon":"` + binary + `"}`,
		"in two envelopes":      `{"Macaroon":{"m":{"m":` + text + `}}}`,
		"malformed conditions":  `{"Macaroon":{"m":` + text + `,"cdata":{"!":"AAAA"}}}`,
		"a condition of a list": `{"Macaroon":{"m":` + text + `,"cdata":{"AAAA":[]}}}`,
		"a list of conditions":  `{"Macaroon":{"m":` + text + `,"cdata":[]}}`,
		"deep":                  `{"Macaroon":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, answering(http.StatusOK, "application/json", body))
			_, err := clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
			require.ErrorContains(t, err, "fetch a discharge from "+s.url+": its answer")
			requireOperational(t, err)
		})
	}
	s := serve(t, answering(http.StatusOK, "text/html", `{"Macaroon":`+text+`}`))
	_, err = clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
	require.ErrorContains(t, err, "not JSON")
}

func TestEndlessAndSlowAnswersEnd(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for chunk := []byte(strings.Repeat(" ", 64<<10)); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	_, err := clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
	require.ErrorContains(t, err, "longer than")
	requireOperational(t, err)

	for name, begin := range map[string]func(http.ResponseWriter){
		"no answer": func(http.ResponseWriter) {},
		"a slow body": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"Macaroon":`)
			w.(http.Flusher).Flush()
		},
	} {
		s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			begin(w)
			<-r.Context().Done()
		}))
		_, err := clientOf(t, []string{s.url}, discharge.WithTimeout(50*time.Millisecond)).Discharge(t.Context(), needing(t, s.url))
		require.ErrorContains(t, err, "did not answer within 50ms", name)
		requireOperational(t, err)
		assert.NotErrorIs(t, err, context.DeadlineExceeded, "it is not the deadline of the caller")

		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err = clientOf(t, []string{s.url}).Discharge(ctx, needing(t, s.url))
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
	}
}

func TestDischargesWithoutAnEndOfThem(t *testing.T) {
	var s *server
	s = serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		further, err := dischargerKey.Public().Caveat(s.url, "one more")
		return discharge.Grant().Needing(further), err
	})
	_, err := clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
	require.ErrorIs(t, err, errors.IDLimitReached)
	assert.LessOrEqual(t, s.requests.Load(), int64(discharge.DefaultMaxDischarges))

	// Many caveats in one discharge: nothing of it is fetched.
	wide := serveCheck(t, func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
		answer := discharge.Grant()
		for i := range discharge.DefaultMaxDischarges {
			answer = answer.Needing(discharge.Caveat{Location: s.url, Identifier: fmt.Sprint(i), Key: rootKey})
		}
		return answer, nil
	})
	before := s.requests.Load()
	_, err = clientOf(t, []string{s.url, wide.url}).Discharge(t.Context(), needing(t, wide.url))
	require.ErrorIs(t, err, errors.IDLimitReached)
	assert.Equal(t, before, s.requests.Load())
}

// dishonest is a discharger with the shared keys of keyOf, whose discharges need
// those of other identifiers.
func dishonest(t *testing.T, further map[string][]string) *server {
	t.Helper()
	var s *server
	s = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.FormValue("id")
		d := macaroonOf(t, id, keyOf(id))
		for _, each := range further[id] {
			var err error
			d, err = discharge.Add(d, discharge.Caveat{Location: s.url, Identifier: each, Key: keyOf(each)})
			assert.NoError(t, err)
		}
		text, err := d.Encode(general.V2JSON)
		assert.NoError(t, err)
		answering(http.StatusOK, "application/json", `{"Macaroon":`+text+`}`).ServeHTTP(w, r)
	}))
	return s
}

func TestCyclesEndAndAreRefused(t *testing.T) {
	for name, further := range map[string]map[string][]string{
		"of one":         {"a": {"a"}},
		"of two":         {"a": {"b"}, "b": {"a"}},
		"the same twice": {"a": {"b", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := dishonest(t, further)
			m, err := discharge.Add(macaroonOf(t, "album 7", rootKey), discharge.Caveat{Location: s.url, Identifier: "a", Key: keyOf("a")})
			require.NoError(t, err)
			discharges, err := clientOf(t, []string{s.url}).Discharge(t.Context(), m)
			require.NoError(t, err)
			assert.LessOrEqual(t, s.requests.Load(), int64(2))
			_, err = discharge.Verify(t.Context(), m, rootKey, caveat.Request{}, discharges...)
			requireInvalid(t, err)
		})
	}
}

func TestADischargeWithAnotherKeyIsRefused(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, err := general.New("", r.FormValue("id"), store.NewSecret("a guess"))
		assert.NoError(t, err)
		text, err := d.Encode(general.V2JSON)
		assert.NoError(t, err)
		answering(http.StatusOK, "application/json", `{"Macaroon":`+text+`}`).ServeHTTP(w, r)
	}))
	m, err := discharge.Add(macaroonOf(t, "album 7", rootKey), discharge.Caveat{Location: s.url, Identifier: "a", Key: keyOf("a")})
	require.NoError(t, err)
	discharges, err := clientOf(t, []string{s.url}).Discharge(t.Context(), m)
	require.NoError(t, err)
	_, err = discharge.Verify(t.Context(), m, rootKey, caveat.Request{}, discharges...)
	requireInvalid(t, err)
}

func TestRefusalsOfADischarger(t *testing.T) {
	const denied = `"Code":"permission denied","Message":"you are not alice"`
	for name, test := range map[string]struct {
		status int
		body   string
		id     errors.ID // "": operational
	}{
		"of the bakery":             {401, `{` + denied + `}`, errors.IDForbidden},
		"of the bakery, bad":        {400, `{"Code":"bad request","Message":"x"}`, errors.IDBadData},
		"of the catalogue":          {403, `{` + denied + `,"error":{"id":"userBlocked"}}`, errors.IDUserBlocked},
		"outside of the catalogue":  {403, `{` + denied + `,"error":{"id":"unknown"}}`, errors.IDForbidden},
		"a fault in the catalogue":  {403, `{` + denied + `,"error":{"id":"internalServerError"}}`, errors.IDForbidden},
		"not an error object":       {403, `{` + denied + `,"error":7}`, errors.IDForbidden},
		"a fault":                   {500, `{` + denied + `,"error":{"id":"forbidden"}}`, ""},
		"too many requests":         {429, `{}`, ""},
		"no JSON":                   {403, ``, ""},
		"a key twice":               {403, `{"Code":"x","Code":"y"}`, ""},
		"interaction without a way": {401, `{"Code":"interaction required"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, answering(test.status, "application/json", test.body))
			_, err := clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
			if test.id == "" {
				requireOperational(t, err)
				return
			}
			require.ErrorIs(t, err, test.id)
			require.ErrorContains(t, err, s.url)
		})
	}
}

func TestTheMessageOfADischargerIsShortAndPrintable(t *testing.T) {
	message, err := json.Marshal("\x1b[2J\u202e" + strings.Repeat("x", 10_000))
	require.NoError(t, err)
	for _, status := range []int{401, 500} {
		s := serve(t, answering(status, "application/json", `{"Message":`+string(message)+`}`))
		_, err = clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 1000)
		assert.NotContains(t, err.Error(), "\x1b")
		assert.NotContains(t, err.Error(), "\u202e")
	}
}

// interactionBody tells a client to wait, and which page to show.
func interactionBody(t *testing.T, page, wait string) string {
	t.Helper()
	method := map[string]string{"VisitURL": page, "WaitTokenURL": wait}
	body, err := json.Marshal(map[string]any{
		"Code": "interaction required", "Info": map[string]any{"InteractionMethods": map[string]any{"browser-window": method}},
	})
	require.NoError(t, err)
	return string(body)
}

func TestPagesAndPlacesThatAClientDoesNotUse(t *testing.T) {
	internal := serveCheck(t, grants)
	shown := 0
	show := discharge.WithInteraction(func(context.Context, string) error { shown++; return nil })
	for name, urls := range map[string][2]string{
		"a page of a script":         {"javascript:alert(1)", "wait"},
		"a page of a file":           {"file:///etc/passwd", "wait"},
		"a page without protection":  {"http://id.example.org/login", "wait"},
		"a page with a password":     {"https://user:password@id.example.org/", "wait"},
		"a long page":                {"https://id.example.org/" + strings.Repeat("x", 20_000), "wait"},
		"no place to wait":           {"https://id.example.org/", ""},
		"to wait at another host":    {"https://id.example.org/", internal.url + "/wait"},
		"to wait at //host":          {"https://id.example.org/", "//" + strings.TrimPrefix(internal.url, "http://") + "/wait"},
		"to wait for a file":         {"https://id.example.org/", "file:///etc/passwd"},
		"to wait with a password":    {"https://id.example.org/", "http://user:password@127.0.0.1/wait"},
		"to wait at a malformed URL": {"https://id.example.org/", "http://[::1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, answering(http.StatusUnauthorized, "application/json", interactionBody(t, urls[0], urls[1])))
			_, err := clientOf(t, []string{s.url}, show).Discharge(t.Context(), needing(t, s.url))
			requireOperational(t, err)
			assert.EqualValues(t, 1, s.requests.Load())
			assert.NotContains(t, err.Error(), "password")
		})
	}
	assert.Zero(t, shown)
	assert.Zero(t, internal.requests.Load())
}

// A ticket lets whoever has it collect the discharge, so errors must not show it.
func TestErrorsDoNotContainTickets(t *testing.T) {
	var wait http.Handler
	ask := func(t *testing.T) error {
		s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				wait.ServeHTTP(w, r)
				return
			}
			answering(http.StatusUnauthorized, "application/json", interactionBody(t, "https://id.example.org/", "wait?ticket=hush")).ServeHTTP(w, r)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		show := discharge.WithInteraction(func(context.Context, string) error { return nil })
		_, err := clientOf(t, []string{s.url}, show).Discharge(ctx, needing(t, s.url))
		return err
	}
	for name, handler := range map[string]http.Handler{
		"the connection is lost": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"a redirect":             http.RedirectHandler("/wait?ticket=hush", http.StatusFound),
		"not JSON":               answering(http.StatusOK, "text/html", "hush"),
		"no ticket":              answering(http.StatusOK, "application/json", `{"kind":"hush"}`),
		"two tickets":            answering(http.StatusOK, "application/json", `{"kind":"x","token":"hush","token64":"hush"}`),
		"no kind":                answering(http.StatusOK, "application/json", `{"token":"hush"}`),
		"a number":               answering(http.StatusOK, "application/json", `{"kind":"hush","token":7}`),
		"a refusal":              answering(http.StatusNotFound, "application/json", `{"Message":"gone"}`),
		"asked for ever":         answering(http.StatusOK, "application/json", `{"kind":"x","token":"hush"}`),
	} {
		t.Run(name, func(t *testing.T) {
			wait = handler
			err := ask(t)
			require.ErrorContains(t, err, "fetch a discharge from")
			assert.NotErrorIs(t, err, context.DeadlineExceeded)
			assert.NotContains(t, err.Error(), "hush")
		})
	}
}

func TestADischargerThatIsNotThere(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	m := needing(t, s.URL)
	_, err := clientOf(t, []string{s.URL}).Discharge(t.Context(), m)
	requireOperational(t, err)
	require.ErrorContains(t, err, "fetch a discharge from "+s.URL)
	assert.NotContains(t, err.Error(), in64(m.Caveats()[0].Text))
}

func TestFewDischargesAreKept(t *testing.T) {
	var now atomic.Int64
	c := clientOf(t, nil, discharge.WithClock(func() time.Time { return time.Unix(now.Load(), 0) }))
	for i := range 2000 {
		c.Keep(fmt.Sprint(i), macaroonOf(t, "d", rootKey, fmt.Sprintf("time < %d", 1000+i)))
	}
	assert.Equal(t, 1024, c.Kept())
	now.Store(2900)
	c.Keep("new", macaroonOf(t, "d", rootKey, "time < 4000"))
	assert.Equal(t, 100, c.Kept())
}
