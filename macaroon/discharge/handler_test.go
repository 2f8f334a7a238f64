package discharge_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

var dischargerKey = discharge.NewKey()

// handlerOf returns a discharger that asks the Check.
func handlerOf(tb testing.TB, check discharge.Check, options ...discharge.HandlerOption) *discharge.Handler {
	tb.Helper()
	h, err := discharge.NewHandler(dischargerKey, check, options...)
	require.NoError(tb, err)
	return h
}

func grants(context.Context, discharge.Question) (discharge.Answer, error) {
	return discharge.Grant("time < 1700000000"), nil
}

// post sends a form to a Handler.
func post(h http.Handler, form url.Values) *httptest.ResponseRecorder {
	return postBody(h, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func postBody(h http.Handler, contentType string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/discharge", body)
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func in64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func formFor(tb testing.TB, condition string) url.Values {
	tb.Helper()
	return url.Values{"id64": {in64(identifierFor(tb, dischargerKey, condition))}}
}

// dischargeIn returns the discharge in an answer.
func dischargeIn(tb testing.TB, w *httptest.ResponseRecorder) general.Macaroon {
	tb.Helper()
	require.Equal(tb, http.StatusOK, w.Code, w.Body)
	var body struct{ Macaroon json.RawMessage }
	require.NoError(tb, json.Unmarshal(w.Body.Bytes(), &body))
	m, err := general.Parse(string(body.Macaroon), general.V2JSON)
	require.NoError(tb, err)
	return m
}

// answered is an answer with an error.
type answered struct {
	Code, Message string
	Error         *errors.Error
	Info          struct {
		InteractionMethods map[string]struct{ VisitURL, WaitTokenURL string }
	}
}

func refusalIn(tb testing.TB, w *httptest.ResponseRecorder, status int, id errors.ID) answered {
	tb.Helper()
	var body answered
	require.Equal(tb, status, w.Code, w.Body)
	require.NoError(tb, json.Unmarshal(w.Body.Bytes(), &body))
	require.ErrorIs(tb, body.Error, id)
	assert.Equal(tb, "application/json", w.Header().Get("Content-Type"))
	assert.Equal(tb, "no-store", w.Header().Get("Cache-Control"))
	return body
}

func TestAHandlerDischargesAtOnce(t *testing.T) {
	m := macaroonOf(t, "album 7", rootKey)
	c, err := dischargerKey.Public().Caveat("https://id.example.org", "the user is alice")
	require.NoError(t, err)
	m, err = discharge.Add(m, c)
	require.NoError(t, err)

	h := handlerOf(t, func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
		assert.Equal(t, "the user is alice", q.Condition)
		assert.Equal(t, "a credential", q.Request.Header.Get("Authorization"))
		return discharge.Grant("step = 1", "step = 2"), nil
	})
	r := httptest.NewRequest(http.MethodPost, "/discharge", strings.NewReader(url.Values{"id64": {in64(c.Identifier)}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("Authorization", "a credential")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)

	d := dischargeIn(t, w)
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	texts, err := verify(t, m, bind(t, m, d)...)
	require.NoError(t, err)
	assert.Equal(t, []string{"step = 1", "step = 2"}, texts)

	// The discharge belongs to this macaroon only.
	other, err := discharge.Add(macaroonOf(t, "album 8", rootKey), c)
	require.NoError(t, err)
	_, err = verify(t, other, bind(t, m, d)...)
	requireInvalid(t, err)
	another, err := dischargerKey.Public().Caveat("https://id.example.org", "the user is alice")
	require.NoError(t, err)
	other, err = discharge.Add(macaroonOf(t, "album 8", rootKey), another)
	require.NoError(t, err)
	_, err = verify(t, other, bind(t, other, d)...)
	requireInvalid(t, err)
}

// Clients of macaroon-bakery put the fields there.
func TestTheFieldsOfARequestMayBeInItsURL(t *testing.T) {
	h := handlerOf(t, grants)
	form := formFor(t, "c")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/discharge?"+form.Encode(), nil))
	dischargeIn(t, w)

	r := httptest.NewRequest(http.MethodPost, "/discharge?"+form.Encode(), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	refusalIn(t, w, http.StatusBadRequest, errors.IDBadData)
}

// Macaroon-bakery keeps the encrypted condition beside the macaroon.
func TestAHandlerOpensAConditionThatIsNotTheIdentifier(t *testing.T) {
	form := url.Values{"id": {"\x03\x07"}, "caveat64": {in64(identifierFor(t, dischargerKey, "c"))}}
	d := dischargeIn(t, post(handlerOf(t, grants), form))
	assert.Equal(t, "\x03\x07", d.Identifier())
}

func TestADischargeNeedsFurtherDischarges(t *testing.T) {
	further, err := discharge.NewKey().Public().Caveat("https://other.example.org", "c")
	require.NoError(t, err)
	d := dischargeIn(t, post(handlerOf(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		return discharge.Grant("step = 1").Needing(further), nil
	}), formFor(t, "c")))
	caveats := d.Caveats()
	require.Len(t, caveats, 2)
	assert.Equal(t, further.Identifier, caveats[1].Text)
	assert.Equal(t, "https://other.example.org", caveats[1].Location)
}

func TestOldKeysOpenIdentifiersToo(t *testing.T) {
	old := discharge.NewKey()
	form := url.Values{"id64": {in64(identifierFor(t, old, "c"))}}
	refusalIn(t, post(handlerOf(t, grants), form), http.StatusBadRequest, errors.IDBadData)
	h := handlerOf(t, grants, discharge.WithOldKeys(discharge.NewKey(), old))
	dischargeIn(t, post(h, form))
	dischargeIn(t, post(h, formFor(t, "c")))
}

func TestIdentifiersOfADatabase(t *testing.T) {
	h := handlerOf(t, func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
		assert.Equal(t, "condition 7", q.Condition)
		return discharge.Grant(), nil
	}, discharge.WithIdentifiers(func(_ context.Context, identifier string) (string, store.Secret, error) {
		switch identifier {
		case "7":
			return "condition 7", keyOf("7"), nil
		case "8":
			return "condition 8", store.Secret{}, nil
		}
		return "", store.Secret{}, errors.BadDataHint("identifier", "there is none")
	}), discharge.WithLogger(slog.New(slog.DiscardHandler)))
	m := needs(t, macaroonOf(t, "album 7", rootKey), "7")
	_, err := verify(t, m, bind(t, m, dischargeIn(t, post(h, url.Values{"id": {"7"}})))...)
	require.NoError(t, err)
	refusalIn(t, post(h, url.Values{"id": {"9"}}), http.StatusBadRequest, errors.IDBadData)
	refusalIn(t, post(h, url.Values{"id": {"8"}}), http.StatusServiceUnavailable, errors.IDServiceUnavailable)
}

// A discharger may share one key with a service, whose identifiers are the
// conditions. Mallory must not get the discharge of another identifier.
func TestTheIdentifierOfADischargeIsTheOneThatWasDecided(t *testing.T) {
	shared := keyOf("every identifier")
	h := handlerOf(t, func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
		if q.Condition != "the user is mallory" {
			return discharge.Answer{}, errors.Forbidden("you are mallory")
		}
		return discharge.Grant(), nil
	}, discharge.WithIdentifiers(func(_ context.Context, identifier string) (string, store.Secret, error) {
		return identifier, shared, nil
	}))
	dischargeIn(t, post(h, url.Values{"id": {"the user is mallory"}}))
	refusalIn(t, post(h, url.Values{"id": {"the user is alice"}}), http.StatusForbidden, errors.IDForbidden)
	form := url.Values{"id": {"the user is alice"}, "caveat64": {in64("the user is mallory")}}
	refusalIn(t, post(h, form), http.StatusBadRequest, errors.IDBadData)
}

func TestRefusalsOfACheck(t *testing.T) {
	var log bytes.Buffer
	for name, test := range map[string]struct {
		err    error
		status int
		id     errors.ID
		code   string
	}{
		"forbidden":    {errors.Forbidden("you are not alice"), 403, errors.IDForbidden, "permission denied"},
		"unauthorized": {errors.Unauthorized(errors.BadBasicCredentials()), 401, errors.IDUnauthorized, "permission denied"},
		"bad input":    {errors.BadDataHint("condition", "it is unknown"), 400, errors.IDBadData, "bad request"},
		"operational":  {errors.New("the database is down"), 503, errors.IDServiceUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			h := handlerOf(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
				return discharge.Grant(), test.err
			}, discharge.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			w := post(h, formFor(t, "c"))
			body := refusalIn(t, w, test.status, test.id)
			assert.Equal(t, test.code, body.Code)
			assert.NotContains(t, w.Body.String(), "database")
			assert.Equal(t, test.status == 503, strings.Contains(log.String(), "the database is down"))
			if test.status == http.StatusUnauthorized {
				assert.Equal(t, "Macaroon", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

func TestAnswersThatACheckMustNotGive(t *testing.T) {
	quiet := discharge.WithLogger(slog.New(slog.DiscardHandler))
	for name, answer := range map[string]discharge.Answer{
		"the zero Answer":   {},
		"needing, no grant": discharge.ComeBack().Needing(discharge.Caveat{}),
		"an empty caveat":   discharge.Grant(""),
		"no key":            discharge.Grant().Needing(discharge.Caveat{Identifier: "x"}),
		"not a URL":         discharge.Ask("http://[::1"),
	} {
		t.Run(name, func(t *testing.T) {
			h := handlerOf(t, func(context.Context, discharge.Question) (discharge.Answer, error) { return answer, nil }, quiet)
			refusalIn(t, post(h, formFor(t, "c")), http.StatusServiceUnavailable, errors.IDServiceUnavailable)
		})
	}
}

func TestHostileRequestsForADischarge(t *testing.T) {
	anyIdentifier := discharge.WithIdentifiers(func(_ context.Context, identifier string) (string, store.Secret, error) {
		if len(identifier) > 2 {
			return "", store.Secret{}, errors.BadDataHint("identifier", "there is none")
		}
		return "c", rootKey, nil
	})
	h := handlerOf(t, grants, anyIdentifier)
	good := formFor(t, "c")
	identifier := good.Get("id64")
	form := "application/x-www-form-urlencoded"
	for name, test := range map[string]struct {
		contentType string
		body        io.Reader
		status      int
		id          errors.ID
	}{
		"no body":            {form, strings.NewReader(""), 400, errors.IDMissingRequiredValue},
		"another type":       {"application/json", strings.NewReader(good.Encode()), 415, errors.IDBadData},
		"no type":            {"", strings.NewReader(good.Encode()), 415, errors.IDBadData},
		"an endless body":    {form, endless{}, 413, errors.IDLimitReached},
		"a broken body":      {form, io.MultiReader(strings.NewReader("id="), broken{}), 400, errors.IDBadData},
		"not a form":         {form, strings.NewReader("%zz"), 400, errors.IDBadData},
		"garbage":            {form, strings.NewReader("id=garbage"), 400, errors.IDBadData},
		"garbage in base64":  {form, strings.NewReader("id64=Z2FyYmFnZQ"), 400, errors.IDBadData},
		"not base64":         {form, strings.NewReader("id64=%21"), 400, errors.IDBadData},
		"the id twice":       {form, strings.NewReader("id64=" + identifier + "&id64=" + identifier), 400, errors.IDBadData},
		"two ids":            {form, strings.NewReader("id64=" + in64("9") + "&id=x"), 400, errors.IDBadData},
		"a long id":          {form, strings.NewReader("caveat64=" + identifier + "&id=" + strings.Repeat("x", 17<<10)), 400, errors.IDBadData},
		"a payload, no id":   {form, strings.NewReader("caveat64=" + identifier), 400, errors.IDMissingRequiredValue},
		"a made-up visit":    {form, strings.NewReader("id64=" + identifier + "&token=x&token-kind=onezone-visit"), 400, errors.IDBadData},
		"a long made-up one": {form, strings.NewReader("id64=" + identifier + "&token-kind=onezone-visit&token=" + in64(strings.Repeat("x", 40))), 400, errors.IDBadData},
		"a foreign token":    {form, strings.NewReader("id64=" + identifier + "&token=x&token-kind=other"), 400, errors.IDBadValueNotAllowed},
		"for another key":    {form, strings.NewReader("id64=" + in64(identifierFor(t, discharge.NewKey(), "c"))), 400, errors.IDBadData},
	} {
		t.Run(name, func(t *testing.T) {
			refusalIn(t, postBody(h, test.contentType, test.body), test.status, test.id)
		})
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return copy(b, strings.Repeat("x", len(b))), nil }

// broken is a body that cannot be read.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestPathsAndMethodsOfAHandler(t *testing.T) {
	h := handlerOf(t, grants)
	for path, allowed := range map[string]string{"/discharge": "POST", "/discharge/wait": "GET, HEAD", "/discharge/info": "GET, HEAD"} {
		r := httptest.NewRequest(http.MethodDelete, path, nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		refusalIn(t, w, http.StatusMethodNotAllowed, errors.IDNotSupported)
		assert.Equal(t, allowed, w.Header().Get("Allow"))
	}
	refusalIn(t, get(h, "/"), http.StatusNotFound, errors.IDNotFound)
	refusalIn(t, get(h, "/discharge/"), http.StatusNotFound, errors.IDNotFound)
	w := get(h, "/discharge/info")
	assert.JSONEq(t, `{"PublicKey":"`+dischargerKey.Public().String()+`","Version":3}`, w.Body.String())
}

func TestAHandlerNeedsAKeyAndACheck(t *testing.T) {
	_, err := discharge.NewHandler(discharge.PrivateKey{}, grants)
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = discharge.NewHandler(dischargerKey, nil)
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
}
