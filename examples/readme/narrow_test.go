package readme

import (
	"context"
	"log"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// narrowed returns a copy of the token that is good for the recorded requests
// and expires then.
func narrowed(ctx context.Context, token macaroon.Token, record []caveat.Attempt, expiry time.Time) (macaroon.Token, error) {
	proposals, err := token.Narrow(ctx, nil, caveat.Recording{Attempts: record, Until: expiry})
	if err != nil {
		return macaroon.Token{}, err
	}
	for _, p := range proposals {
		log.Printf("%v: %s; refuses %s", p.Caveat, p.Reason, p.Refuses)
		if token, err = token.Confine(p.Caveat); err != nil {
			return macaroon.Token{}, err
		}
	}
	return token, nil
}

func TestANarrowedTokenIsGoodForTheRecord(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	reads := caveat.Attempt{
		Request: caveat.Request{Interface: caveat.REST, DataAccess: true}, Access: caveat.Read, File: caveat.File{Path: "/lab/a"},
	}
	token, err := narrowed(t.Context(), h.Token(), []caveat.Attempt{reads}, h.Clock.Now().Add(time.Hour))
	require.NoError(t, err)
	e, err := h.Authority.Explain(t.Context(), token.String(), macaroon.Trial{Attempt: reads})
	require.NoError(t, err)
	require.True(t, e.Accepted())
	reads.File.Path = "/home/a"
	e, err = h.Authority.Explain(t.Context(), token.String(), macaroon.Trial{Attempt: reads})
	require.NoError(t, err)
	require.False(t, e.Accepted())
}
