package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/store"
)

const day = 24 * time.Hour

// newUsedOnezone returns an Onezone that records uses. The tokens old, recent
// and never of Alice are 100 days old, the token own is new. Old was used 95
// days ago, recent yesterday.
func newUsedOnezone(t *testing.T) (o *macaroontest.Remote, tokens map[string]macaroon.Token) {
	t.Helper()
	o = macaroontest.NewRemote(t, macaroontest.WithAuthority(macaroon.WithLastUse(macaroon.LastUse{})))
	now := time.Now()
	o.Clock.Set(now.Add(-100 * day))
	tokens = map[string]macaroon.Token{}
	for _, name := range []string{"old", "recent", "never"} {
		tokens[name] = o.TokenNamed(name)
	}
	o.Clock.Set(now)
	tokens["own"] = o.TokenNamed("own")
	for name, ago := range map[string]time.Duration{"old": 95 * day, "recent": day} {
		use := store.Use{TokenID: tokens[name].ID(), At: now.Add(-ago).Unix() / 60 * 60, Address: "192.0.2.0/24", Interface: "rest", Count: 3}
		require.NoError(t, o.Store.RecordUses(t.Context(), []store.Use{use}))
	}
	return o, tokens
}

func TestUnusedTokensAreCleanedUp(t *testing.T) {
	t.Parallel()
	onezone, tokens := newUsedOnezone(t)
	as := func(name string, args ...string) outcome {
		return onetoken("", append(args, "--onezone", onezone.Origin, "--token-file", file(t, tokens[name].String()))...)
	}
	clean := func(name string, args ...string) (results map[string]string) {
		t.Helper()
		var list []tokeninfo.Cleaned
		require.NoError(t, json.Unmarshal([]byte(as(name, append([]string{"clean", "--unused", "90d", "--json"}, args...)...).done(t)), &list))
		results = map[string]string{}
		for _, each := range list {
			results[each.Name] = each.Result
		}
		return results
	}
	revoked := func(name string) bool {
		n, err := onezone.Authority.Get(t.Context(), tokens[name].ID())
		return err != nil || n.Revoked
	}

	require.Equal(t, map[string]string{"old": "would be revoked"}, clean("own", "--dry-run"))
	require.Equal(t, map[string]string{"old": "would be deleted", "never": "would be deleted"}, clean("own", "--dry-run", "--delete", "--never-used"))
	require.False(t, revoked("old"), "nothing was done")

	// The use of the token in use is not written yet.
	require.Empty(t, clean("old"))
	require.Equal(t, map[string]string{"old": "revoked"}, clean("never", "--never-used"))
	require.True(t, revoked("old"))
	require.False(t, revoked("never"))

	require.Equal(t, "no token to clean up\n", as("own", "clean", "--unused", "90d").done(t), "it is revoked already")
	dry := as("own", "clean", "--unused", "90d", "--delete", "--never-used", "--dry-run").done(t)
	assert.Regexp(t, `(?m)^would delete token [0-9a-f]+ "old", last used \S+$`, dry)
	assert.Regexp(t, `(?m)^would delete token [0-9a-f]+ "never", no recorded use$`, dry)
	assert.Regexp(t, `^deleted token [0-9a-f]+ "old", last used \S+\n$`, as("own", "clean", "--unused", "90d", "--delete").done(t))
	_, err := onezone.Authority.Get(t.Context(), tokens["old"].ID())
	require.Error(t, err)
	require.False(t, revoked("recent"))
}

func TestACleanUpWithAPasswordSparesNoUnusedToken(t *testing.T) {
	t.Parallel()
	onezone, tokens := newUsedOnezone(t)
	out := onetoken(macaroontest.Password+"\n", "clean", "--unused", "90d", "--onezone", onezone.Origin, "--user", "alice").done(t)
	assert.Contains(t, out, "revoked token "+tokens["old"].ID())
}

// At an Onezone that records no uses, every token looks as if it was never used.
func TestNothingIsCleanedUpIfUsesAreNotRecorded(t *testing.T) {
	t.Parallel()
	onezone := macaroontest.NewRemote(t)
	onezone.Clock.Set(time.Now().Add(-100 * day))
	token := onezone.TokenNamed("old")
	onezone.Clock.Set(time.Now())
	path := file(t, onezone.Token().String())
	for _, args := range [][]string{{}, {"--json"}, {"--never-used", "--delete"}} {
		onetoken("", append([]string{"clean", "--unused", "90d", "--onezone", onezone.Origin, "--token-file", path}, args...)...).
			trouble(t, "the Onezone does not record when tokens are used")
	}
	n, err := onezone.Authority.Get(t.Context(), token.ID())
	require.NoError(t, err)
	require.False(t, n.Revoked)
	assert.NotContains(t, onetoken("", "list", "--onezone", onezone.Origin, "--token-file", path).done(t), "LAST USE")
}

func TestMisuseOfClean(t *testing.T) {
	t.Parallel()
	onetoken("", "clean").trouble(t, "give the time for which a token was not used, such as --unused 90d")
	onetoken("", "clean", "--unused", "soon").trouble(t, "--unused takes how long a token was not used, such as 90d")
	onetoken("", "clean", "--unused", "-90d").trouble(t, "--unused takes how long a token was not used")
	onetoken("", "clean", "--unused", "90d", "laptop").trouble(t, "clean takes flags only")
}

func TestTheLastUseIsListedAndShown(t *testing.T) {
	t.Parallel()
	onezone, tokens := newUsedOnezone(t)
	ask := func(args ...string) string {
		return onetoken("", append(args, "--onezone", onezone.Origin, "--token-file", file(t, tokens["own"].String()))...).done(t)
	}
	list := ask("list")
	assert.Contains(t, list, "\tLAST USE\t")
	assert.Regexp(t, `(?m)^[0-9a-f]+\tnever\taccess\tactive\t\S+\tnone\tnever\t$`, list)
	assert.Regexp(t, `(?m)^last use\t\S+ from 192\.0\.2\.0/24 by rest, 3 in all$`, ask("show", "--name", "recent"))
	assert.Contains(t, ask("show", "--name", "never"), "last use\tnone\n")
	var record tokeninfo.Token
	require.NoError(t, json.Unmarshal([]byte(ask("show", "--json", "--name", "recent")), &record))
	assert.EqualValues(t, 3, record.LastUse.Count)
}
