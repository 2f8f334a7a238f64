package sqlite_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// TestKilledProcessLosesNothing kills a process that issues tokens many times.
// Every acknowledged token is stored and verifies, and so do the last ones,
// which may lack their acknowledgments.
func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	for _, callers := range []int{1, 16} {
		t.Run(fmt.Sprint(callers, " callers"), func(t *testing.T) {
			t.Parallel()
			killMany(t, callers)
		})
	}
}

func killMany(t *testing.T, callers int) {
	kills := 50
	if testing.Short() {
		kills = 10
	}
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{})
	require.NoError(t, s.CreateIdentity(t.Context(), newUser("alice")))
	require.NoError(t, s.Close())

	random := rand.New(rand.NewPCG(1, 2))
	acknowledged := make(map[string]string)
	for kill := range kills {
		round := killWhileMinting(t, path, fmt.Sprint("round ", kill), callers, callers+random.IntN(20))
		for id, text := range round {
			require.NotContains(t, acknowledged, id)
			acknowledged[id] = text
		}
		s := openAt(t, path, sqlite.Options{})
		requireVerified(t, s, round)
		requireSound(t, s)
		require.NoError(t, s.Close())
	}

	s = openAt(t, path, sqlite.Options{})
	requireVerified(t, s, acknowledged)
	all := requireWhole(t, s)
	require.GreaterOrEqual(t, all, len(acknowledged))
	require.LessOrEqual(t, all-len(acknowledged), kills*callers, "each kill leaves at most one token of each caller that was not acknowledged")
}

// killWhileMinting kills a process after it acknowledged n tokens, and returns
// the texts of all acknowledged tokens by id.
func killWhileMinting(t *testing.T, path, name string, callers, after int) map[string]string {
	t.Helper()
	p := start(t, "mint", path, name, strconv.Itoa(callers))
	acknowledged := make(map[string]string)
	for {
		line, err := p.out.ReadString('\n')
		if err == io.EOF {
			break // what comes before is half a line
		}
		require.NoError(t, err)
		id, text, found := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		require.True(t, found, line)
		acknowledged[id] = text
		if len(acknowledged) == after {
			require.NoError(t, p.Process.Signal(syscall.SIGKILL))
		}
	}
	_ = p.Wait()
	require.False(t, p.ProcessState.Exited(), "the process was not killed: %s", p.ProcessState)
	require.GreaterOrEqual(t, len(acknowledged), after)
	return acknowledged
}

// requireVerified requires that the tokens, texts by id, verify.
func requireVerified(t *testing.T, s store.Store, tokens map[string]string) {
	t.Helper()
	authority, err := macaroon.NewAuthority(s)
	require.NoError(t, err)
	for id, text := range tokens {
		token, err := authority.Parse(text)
		require.NoError(t, err)
		auth, err := authority.VerifyAccess(t.Context(), token.String(), caveat.Request{})
		require.NoError(t, err, "the token %s was acknowledged", id)
		require.Equal(t, alice, auth.Subject)
		shown, err := authority.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, text, shown.Token.String(), "the token %s was acknowledged with another text", id)
	}
}

// requireWhole requires that every listed token verifies and is found by its
// name. It returns the number of tokens.
func requireWhole(t *testing.T, s store.Store) (n int) {
	t.Helper()
	authority, err := macaroon.NewAuthority(s)
	require.NoError(t, err)
	for q := (store.Query{Subject: alice, Limit: 1000}); ; {
		page, next, err := authority.List(t.Context(), q)
		require.NoError(t, err)
		for _, token := range page {
			_, err := authority.VerifyAccess(t.Context(), token.Token.String(), caveat.Request{})
			require.NoError(t, err, "the token %s was listed", token.ID())
			named, err := authority.GetByName(t.Context(), alice, token.Name)
			require.NoError(t, err)
			require.Equal(t, token.ID(), named.ID())
		}
		if n += len(page); next.IsZero() {
			return n
		}
		q.After = next
	}
}

// requireSound runs SQLite's integrity check on the file.
func requireSound(t *testing.T, s *sqlite.Store) {
	t.Helper()
	reader, _ := s.Handles()
	require.Equal(t, "ok", ask[string](t, reader, "PRAGMA integrity_check"))
}
