package remote_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
)

func TestTokensAreNeitherLoggedNorPrinted(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	var log syncbuffer.Buffer
	service := z.TokenOf(z.Provider, macaroon.IdentityToken()).String()
	consumer := z.TokenOf(z.Bob, macaroon.IdentityToken()).String()
	text := z.Token().String()
	c := z.client(t, remote.WithServiceToken(caveat.PartyToken(service)), remote.WithRetries(0),
		remote.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	req := caveat.Request{ConsumerToken: caveat.PartyToken(consumer)}
	var errs []error
	for _, answer := range []http.HandlerFunc{
		respondWith(400, `{"error":{"id":"malformedData","description":"x"}}`),
		respondWith(400, `{"error":{"id":"badData","details":{"key":"`+text+`","hint":"`+service+`"}}}`),
		respondWith(401, `{"error":{"id":"`+text+`","description":"`+consumer+`"}}`),
		respondWith(502, text), respondWith(200, text), respondWith(400, text), respondWith(302, text),
		respondWith(200, `{"subject":"`+text+`","ttl":"`+consumer+`"}`),
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		z.misbehave(answer)
		_, err := c.VerifyAccess(t.Context(), text, req)
		requireOperational(t, err)
		errs = append(errs, err)
	}
	require.EqualValues(t, 9, z.requests(), "the breaker is open at the last one")
	require.Equal(t, "open", c.Stats().Breaker)
	require.Contains(t, log.String(), "circuit breaker")

	printed := &bytes.Buffer{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		_, _ = fmt.Fprintf(printed, verb+verb+verb+verb, c, c.Stats(), errs, struct{ C *remote.Client }{c})
	}
	stats, err := json.Marshal(c.Stats())
	require.NoError(t, err)
	printed.Write(stats)
	slog.New(slog.NewJSONHandler(printed, nil)).Info("client", "client", c, "errors", errs)
	printed.WriteString(log.String())
	for _, secret := range []string{text, service, consumer} {
		require.NotContains(t, printed.String(), secret)
		require.NotContains(t, printed.String(), fmt.Sprintf("%x", secret))
	}
}
