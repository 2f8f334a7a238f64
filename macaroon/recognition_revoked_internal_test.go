package macaroon

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

func TestRevokedTokensAreNotRecognized(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t)
	temporary, err := z.Issue(t.Context(), Grant{
		Subject: recognizedUser, Type: AccessToken(), Caveats: []caveat.Caveat{caveat.Until(time.Now().Add(time.Hour))},
	})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		token Token
		take  func(Token) error
	}{
		"Revoke":          {z.issue(t, "token a"), func(tk Token) error { return z.Revoke(t.Context(), tk.ID()) }},
		"a copy":          {z.issue(t, "token b", "time < 4000000000"), func(tk Token) error { return z.Revoke(t.Context(), tk.ID()) }},
		"RevokeConfined":  {z.issue(t, "token c", "time < 4000000000"), func(tk Token) error { return z.RevokeConfined(t.Context(), tk) }},
		"Delete":          {z.issue(t, "token d"), func(tk Token) error { return z.Delete(t.Context(), tk.ID()) }},
		"RevokeTemporary": {temporary, func(tk Token) error { return z.RevokeTemporary(t.Context(), tk.Subject()) }},
	} {
		z.recognize(t, c.token.String())
		require.NoError(t, c.take(c.token), name)
		require.False(t, z.recognizesText(c.token.String()), name)
		for range 3 {
			require.Error(t, z.verify(c.token.String()), name)
		}
		require.False(t, z.recognizesText(c.token.String()), name)
	}
	last := z.issue(t, "last").String()
	z.recognize(t, last)
	require.NoError(t, z.Forget(t.Context(), recognizedUser))
	require.False(t, z.recognizesText(last))
}

func TestAVerificationThatBeganBeforeARevocationAddsNoEntry(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t)
	token := z.issue(t, "laptop")
	before := z.recognition.Present(token.String())
	z.recognition.removeToken("another")
	z.recognition.add(before, token, caveat.List{}, store.NewSecret("secret"))
	require.False(t, z.recognizesText(token.String()))
	z.recognition.add(z.recognition.Present(token.String()), token, caveat.List{}, store.NewSecret("secret"))
	require.True(t, z.recognizesText(token.String()))
}

func TestARevocationIsSeenByConcurrentVerifications(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t, WithRecognition(64, 1<<20))
	for round := range 20 {
		token := z.issue(t, fmt.Sprintf("token %d", round))
		var revoked atomic.Bool
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := 0; i < 2000 && !t.Failed(); i++ {
					after := revoked.Load()
					err := z.verify(token.String())
					if after {
						assert.ErrorIs(t, err, errors.IDTokenRevoked)
						return
					}
				}
			})
		}
		require.NoError(t, z.Revoke(t.Context(), token.ID()))
		revoked.Store(true)
		wg.Wait()
		require.False(t, z.recognizesText(token.String()))
	}
}
