package discharge_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
)

// waitIn returns where an answer tells the client to wait, and the visit.
func waitIn(t *testing.T, w *httptest.ResponseRecorder, method string) (visitURL, waitURL, visit string) {
	t.Helper()
	require.Equal(t, http.StatusUnauthorized, w.Code, w.Body)
	assert.Equal(t, "Macaroon", w.Header().Get("WWW-Authenticate"))
	var body answered
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	assert.Equal(t, "interaction required", body.Code)
	require.Contains(t, body.Info.InteractionMethods, method)
	m := body.Info.InteractionMethods[method]
	u, err := url.Parse(m.WaitTokenURL)
	require.NoError(t, err)
	return m.VisitURL, "/" + m.WaitTokenURL, u.Query().Get("token")
}

// until returns a Check that answers the given until ready is set.
func until(ready *bool, answer func(q discharge.Question) discharge.Answer) discharge.Check {
	return func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
		if *ready {
			return discharge.Grant(), nil
		}
		return answer(q), nil
	}
}

func TestAClientComesBackWithItsVisit(t *testing.T) {
	ready := false
	h := handlerOf(t, until(&ready, func(q discharge.Question) discharge.Answer {
		return discharge.Ask("https://id.example.org/login?visit=" + q.Visit)
	}))
	form := formFor(t, "c")
	page, wait, visit := waitIn(t, post(h, form), "browser-window")
	assert.Equal(t, "https://id.example.org/login?visit="+visit, page)

	w := get(h, wait, "Prefer", "respond-async, wait=0")
	assert.Equal(t, http.StatusAccepted, w.Code)
	assert.Empty(t, w.Body.String())
	assert.Equal(t, "1", w.Header().Get("Retry-After"))
	form.Set("token", visit)
	form.Set("token-kind", "onezone-visit")
	_, _, again := waitIn(t, post(h, form), "browser-window")
	assert.Equal(t, visit, again)

	ready = true
	w = get(h, wait)
	require.Equal(t, http.StatusOK, w.Code)
	assert.JSONEq(t, `{"kind":"onezone-visit","token":"`+visit+`"}`, w.Body.String())
	dischargeIn(t, post(h, form))
}

func TestNobodyHasToDoAnythingWhenAClientComesBack(t *testing.T) {
	ready := false
	h := handlerOf(t, until(&ready, func(discharge.Question) discharge.Answer { return discharge.ComeBack() }))
	form := formFor(t, "c")
	form.Set("caveat64", form.Get("id64"))
	form.Set("id64", in64("\x03\x00"))
	page, wait, _ := waitIn(t, post(h, form), "poll")
	assert.Empty(t, page)
	ready = true
	assert.Equal(t, http.StatusOK, get(h, wait).Code)
}

func TestAVisitIsForOneCaveatAndEnds(t *testing.T) {
	now := time.Unix(1600000000, 0)
	ready := false
	h := handlerOf(t, until(&ready, func(discharge.Question) discharge.Answer { return discharge.ComeBack() }),
		discharge.WithHandlerClock(func() time.Time { return now }))
	form := formFor(t, "c")
	_, wait, visit := waitIn(t, post(h, form), "poll")
	ready = true

	other := formFor(t, "the user is the administrator")
	other.Set("token", visit)
	other.Set("token-kind", "onezone-visit")
	refusalIn(t, post(h, other), http.StatusBadRequest, errors.IDBadData)
	refusalIn(t, get(h, "/discharge/wait?"+other.Encode()), http.StatusBadRequest, errors.IDBadData)
	other.Del("token")
	refusalIn(t, get(h, "/discharge/wait?"+other.Encode()), http.StatusBadRequest, errors.IDMissingRequiredValue)

	form.Set("token", visit)
	form.Set("token-kind", "onezone-visit")
	elsewhere, err := discharge.NewHandler(discharge.NewKey(), grants, discharge.WithOldKeys(dischargerKey),
		discharge.WithHandlerClock(func() time.Time { return now }))
	require.NoError(t, err)
	refusalIn(t, post(elsewhere, form), http.StatusBadRequest, errors.IDBadData)

	dischargeIn(t, post(h, form))
	now = now.Add(15 * time.Minute)
	refusalIn(t, post(h, form), http.StatusBadRequest, errors.IDBadData)
	refusalIn(t, get(h, wait), http.StatusBadRequest, errors.IDBadData)
}

func TestAWaitingClientIsAnsweredWhenTheCheckDecides(t *testing.T) {
	for name, test := range map[string]struct {
		decision error
		status   int
	}{
		"granted": {nil, http.StatusOK},
		"refused": {errors.Forbidden("the user said no"), http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			h := handlerOf(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
				if calls++; calls < 4 {
					return discharge.ComeBack(), nil
				}
				return discharge.Grant(), test.decision
			}, discharge.WithPause(time.Millisecond))
			_, wait, _ := waitIn(t, post(h, formFor(t, "c")), "poll")
			assert.Equal(t, test.status, get(h, wait, "Prefer", "wait=20").Code)
			assert.Equal(t, 4, calls)
		})
	}
}

func TestFewClientsWaitAtATime(t *testing.T) {
	calls := 0
	h := handlerOf(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		calls++
		return discharge.ComeBack(), nil
	}, discharge.WithMaxWaiting(0))
	_, wait, _ := waitIn(t, post(h, formFor(t, "c")), "poll")
	assert.Equal(t, http.StatusAccepted, get(h, wait).Code, "it would wait for 15 minutes")
	assert.Equal(t, 2, calls)
}

func TestAClientThatLeavesEndsItsWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	h := handlerOf(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		if calls++; calls == 3 {
			cancel()
		}
		return discharge.ComeBack(), nil
	}, discharge.WithPause(time.Millisecond), discharge.WithLogger(slog.New(slog.DiscardHandler)))
	_, wait, _ := waitIn(t, post(h, formFor(t, "c")), "poll")
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, wait, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
}
