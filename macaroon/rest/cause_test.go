package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// requireOneCause asserts a 5xx response and one log line with the cause and a
// reference.
func requireOneCause(t *testing.T, res macaroontest.Response, log *syncbuffer.Buffer, cause string) {
	t.Helper()
	require.GreaterOrEqual(t, res.Status, http.StatusInternalServerError, "%s", res.Body)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 1, "lines in the log of one request that failed: %q", lines)
	require.Contains(t, lines[0], "level=ERROR")
	require.Contains(t, lines[0], cause)
	require.Regexp(t, `reference=[0-9a-f]{10}\b`, lines[0])
}

// TestEvery5xxLogsItsCauseOnce makes each route fail for each kind of
// operational reason.
func TestEvery5xxLogsItsCauseOnce(t *testing.T) {
	t.Parallel()
	const cause = "asking the database: "
	faults := map[string]error{
		"the store is down":                errDown,
		"the store is slow":                context.DeadlineExceeded,
		"another context ended":            context.Canceled,
		"the store answers as a catalogue": errors.ServiceUnavailable(),
		"another server failed":            errors.InternalServerError("0123456789"),
	}
	tried := map[string]bool{}
	for _, c := range restcases.All() {
		if c.Group != restcases.Success || tried[c.Route] || !needsStore(c.Route) {
			continue
		}
		tried[c.Route] = true
		for name, fault := range faults {
			t.Run(c.Route+" "+name, func(t *testing.T) {
				t.Parallel()
				w := restcases.NewFixture(t)
				req, _ := c.Make(w)
				var log syncbuffer.Buffer
				handler, f := over(t, w, rest.WithLogger(log.Logger()))
				w.Handler = handler
				f.rest.Store(&fault)
				requireOneCause(t, w.Do(t, req).Response, &log, cause)
			})
		}
	}
	require.NotEmpty(t, tried)
}

// TestEvery5xxOfTheApplicationLogsItsCauseOnce covers failures of the
// application instead of the store.
func TestEvery5xxOfTheApplicationLogsItsCauseOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		option rest.Option
		cause  string
	}{
		"it fails": {rest.WithDataScopes(broken{errDown}), leak},
		"it fails in the words of the catalogue": {
			rest.WithDataScopes(broken{fmt.Errorf("asking the spaces: %w", errors.TemporaryFailure())}), "asking the spaces"},
		"it panics": {rest.WithDataScopes(panicking{}), "a bug"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log syncbuffer.Buffer
			w := restcases.NewFixture(t, c.option, rest.WithLogger(log.Logger()))
			x := w.Do(t, restcases.Request{
				Method: "POST", Path: "/tokens/infer_access_token_scope", Body: `{"token":"` + w.Laptop.String() + `"}`,
			})
			requireOneCause(t, x.Response, &log, c.cause)
		})
	}
}

// damaged is a store whose metadata is not JSON.
type damaged struct{ store.Store }

func (d damaged) GetToken(ctx context.Context, id string) (store.Token, error) {
	token, err := d.Store.GetToken(ctx, id)
	token.Custom = json.RawMessage(`{"half`)
	return token, err
}

func TestAnAnswerThatCannotBeEncodedLogsItsCauseOnce(t *testing.T) {
	t.Parallel()
	var log syncbuffer.Buffer
	w := restcases.NewFixture(t)
	handler, f := over(t, w, rest.WithLogger(log.Logger()))
	f.Store = damaged{f.Store}
	w.Handler = handler
	x := w.Do(t, restcases.Request{Method: "GET", Path: "/tokens/named/" + w.Laptop.ID(), As: w.By(t, restcases.Alice)})
	requireOneCause(t, x.Response, &log, "encode the answer")
	macaroontest.AssertError(t, x.Response, errors.IDInternalServerError)
}

// TestDisconnectedClientsAreNotFaults expects the cause at debug level.
func TestDisconnectedClientsAreNotFaults(t *testing.T) {
	t.Parallel()
	var log syncbuffer.Buffer
	w := restcases.NewFixture(t, rest.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	ctx, leave := context.WithCancel(t.Context())
	leave()
	res := macaroontest.Request(t, w.Handler, "GET", rest.Prefix+"/user/tokens/named", nil, func(r *http.Request) {
		w.By(t, restcases.Alice)(r)
		*r = *r.WithContext(ctx)
	})
	macaroontest.AssertStatus(t, res, http.StatusServiceUnavailable)
	require.Equal(t, 1, strings.Count(log.String(), "reference="), log.String())
	require.Contains(t, log.String(), "level=DEBUG")
	require.Contains(t, log.String(), context.Canceled.Error())
}
