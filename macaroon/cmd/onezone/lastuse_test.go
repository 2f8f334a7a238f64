package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// recordUse records a use of the token, so long ago, in the file of a store.
func recordUse(t *testing.T, file, id string, ago time.Duration) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	use := store.Use{TokenID: id, At: time.Now().Add(-ago).Unix() / 60 * 60, Address: "192.0.2.0/24", Interface: "rest", Count: 3}
	require.NoError(t, s.RecordUses(t.Context(), []store.Use{use}))
}

// created sets the time since when the token exists.
func created(t *testing.T, file, id string, ago time.Duration) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	token, err := s.GetToken(t.Context(), id)
	require.NoError(t, err)
	token.Created = time.Now().Add(-ago).Unix()
	require.NoError(t, s.Import(t.Context(), []store.Record{{Token: &token}}))
}

// use uses the token at the running service.
func (s *server) use(token string) {
	s.t.Helper()
	require.Equal(s.t, 200, s.do("GET", "/user/tokens/named", "", "X-Auth-Token", token).status)
}

func TestTheServiceRecordsUsesAndWritesThemAtAShutdown(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	laptop := issue(t, file, "--user", "alice", "--name", "laptop")
	s, end := inProcess(t, "--store", "sqlite:"+file)
	for range 3 {
		s.use(laptop.Token)
	}
	require.Contains(t, s.metrics(), "onezone_uses_recorded_total 3\n")
	end()
	list := listTokens(t, file)
	require.EqualValues(t, 3, list[0].LastUse.Count)
	require.Equal(t, "127.0.0.0/24", list[0].LastUse.Address)
	require.Equal(t, "rest", list[0].LastUse.Interface)
	require.InDelta(t, time.Now().Unix(), list[0].LastUse.Time, 180)

	out, err := order(t, file, "", "token", "show", laptop.TokenID)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^last use\t\S+ from 127\.0\.0\.0/24 at ozw-onezone by rest, 3 in all$`, out)
}

func TestTheOperatorChoosesWhatIsKeptOfAnAddress(t *testing.T) {
	t.Parallel()
	for kept, want := range map[string]string{"whole": "127.0.0.1", "none": ""} {
		file := userStore(t, "alice")
		laptop := issue(t, file, "--user", "alice", "--name", "laptop")
		s, end := inProcess(t, "--store", "sqlite:"+file, "--last-use-address", kept, "--last-use-interval", "1s")
		s.use(laptop.Token)
		eventually(t, func() bool { return listTokens(t, file)[0].LastUse != nil }, "the use is written while the service runs")
		require.Equal(t, want, listTokens(t, file)[0].LastUse.Address)
		end()
	}
}

func TestNoUsesAreRecordedIfTheyAreTurnedOff(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	laptop := issue(t, file, "--user", "alice", "--name", "laptop")
	s, end := inProcess(t, "--store", "sqlite:"+file, "--last-use=false")
	s.use(laptop.Token)
	require.NotContains(t, s.metrics(), "onezone_uses_")
	require.NotContains(t, s.do("GET", "/tokens/named/"+laptop.TokenID, "", "X-Auth-Token", laptop.Token).body, "lastUse")
	end()
	require.Nil(t, listTokens(t, file)[0].LastUse)
}

// The process is killed between a use and its write: only the uses since the
// last write are lost, and the next process goes on.
func TestAKilledServiceLosesOnlyTheUsesSinceTheLastWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := dir + "/onezone.db"
	s := start(t, dir, "--store", "sqlite:"+file, "--last-use-interval", "1s")
	laptop := issue(t, file, "--user", "demo", "--name", "laptop")
	count := func() int64 {
		for _, each := range listTokens(t, file) {
			if each.ID == laptop.TokenID && each.LastUse != nil {
				return each.LastUse.Count
			}
		}
		return 0
	}
	for range 4 {
		s.use(laptop.Token)
	}
	eventually(t, func() bool { return count() == 4 }, "the uses are written")
	for range 5 {
		s.use(laptop.Token)
	}
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGKILL))
	<-s.ended
	kept := count()
	require.GreaterOrEqual(t, kept, int64(4))
	require.LessOrEqual(t, kept, int64(9))

	again := start(t, dir, "--store", "sqlite:"+file, "--last-use-interval", "1s")
	again.use(laptop.Token)
	eventually(t, func() bool { return count() == kept+1 }, "the next process goes on")
}

func TestListsOfTokensAreLimitedToUnusedOnes(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	old, recent, never, young := issue(t, file, "--user", "alice", "--name", "old"), issue(t, file, "--user", "alice", "--name", "recent"),
		issue(t, file, "--user", "alice", "--name", "never"), issue(t, file, "--user", "alice", "--name", "young")
	for _, each := range []issued{old, recent, never} {
		created(t, file, each.TokenID, 100*24*time.Hour)
	}
	recordUse(t, file, old.TokenID, 95*24*time.Hour)
	recordUse(t, file, recent.TokenID, 24*time.Hour)
	for since, want := range map[string][]issued{
		"90d": {old, never},
		"1h":  {old, recent, never},
		time.Now().Add(-90 * 24 * time.Hour).Format(time.DateOnly): {old, never},
		time.Now().Add(time.Hour).Format(time.RFC3339):             {old, recent, never, young},
		"99d": {never},
	} {
		ids, got := []string{}, []string{}
		for _, each := range want {
			ids = append(ids, each.TokenID)
		}
		for _, each := range listTokens(t, file, "--unused-since", since) {
			got = append(got, each.ID)
		}
		require.ElementsMatch(t, ids, got, since)
	}
	out, err := order(t, file, "", "token", "list", "--unused-since", "90d")
	require.NoError(t, err)
	require.Contains(t, out, "LAST USE")
	_, err = order(t, file, "", "token", "list", "--unused-since", "long ago")
	require.ErrorContains(t, err, `"long ago" for flag --unused-since: want a date`)
}

func TestUnusedTokensAreCleanedUp(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice", "bob")
	old, recent, never := issue(t, file, "--user", "alice", "--name", "old"), issue(t, file, "--user", "alice", "--name", "recent"),
		issue(t, file, "--user", "alice", "--name", "never")
	ofBob, _ := issue(t, file, "--user", "bob", "--name", "old"), issue(t, file, "--user", "bob", "--name", "young")
	for _, each := range []issued{old, recent, never, ofBob} {
		created(t, file, each.TokenID, 100*24*time.Hour)
	}
	recordUse(t, file, old.TokenID, 95*24*time.Hour)
	recordUse(t, file, ofBob.TokenID, 96*24*time.Hour)
	recordUse(t, file, recent.TokenID, 24*time.Hour)
	clean := func(args ...string) (results map[string]string) {
		t.Helper()
		out, err := order(t, file, "", append([]string{"token", "clean", "--json", "--unused", "90d"}, args...)...)
		require.NoError(t, err)
		var list []tokeninfo.Cleaned
		require.NoError(t, json.Unmarshal([]byte(out), &list))
		results = map[string]string{}
		for _, each := range list {
			results[each.ID] = each.Result
		}
		return results
	}
	states := func() (states []string) {
		for _, each := range listTokens(t, file, "--user", "alice") {
			states = append(states, each.Name+" "+each.State)
		}
		return states
	}
	require.Equal(t, map[string]string{old.TokenID: "would be revoked", ofBob.TokenID: "would be revoked"}, clean("--dry-run"))
	require.Equal(t, map[string]string{old.TokenID: "would be deleted", never.TokenID: "would be deleted"},
		clean("--dry-run", "--delete", "--never-used", "--user", "alice"))
	require.ElementsMatch(t, []string{"old active", "recent active", "never active"}, states(), "nothing was done")

	out, err := order(t, file, "", "token", "clean", "--unused", "90d", "--user", "alice", "--delete", "--never-used", "--dry-run")
	require.NoError(t, err)
	require.Regexp(t, fmt.Sprintf(`(?m)^would delete token %s "old", last used \S+$`, old.TokenID), out)
	require.Regexp(t, fmt.Sprintf(`(?m)^would delete token %s "never", no recorded use$`, never.TokenID), out)
	out, err = order(t, file, "", "token", "clean", "--unused", "90d", "--user", "alice")
	require.NoError(t, err)
	require.Regexp(t, fmt.Sprintf(`^revoked token %s "old", last used \S+\n$`, old.TokenID), out)
	require.ElementsMatch(t, []string{"old revoked", "recent active", "never active"}, states())
	require.Equal(t, map[string]string{ofBob.TokenID: "revoked"}, clean(), "one is revoked already")
	require.Equal(t, map[string]string{old.TokenID: "deleted", never.TokenID: "deleted"}, clean("--delete", "--never-used", "--user", "alice"))
	require.Equal(t, []string{"recent active"}, states())
	out, err = order(t, file, "", "token", "clean", "--unused", "90d")
	require.NoError(t, err)
	require.Equal(t, "no token was unused for 90d\n", out)

	for _, bad := range []string{"", "0d", "-3d", "soon"} {
		_, err := order(t, file, "", "token", "clean", "--unused", bad)
		require.ErrorContains(t, err, "onezone token clean needs --unused DURATION, such as 90d")
	}
}

func TestBadSettingsOfLastUsesAreRefused(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	for want, args := range map[string][]string{
		"--last-use-interval must be at least 1s": {"--last-use-interval", "900ms"},
		"network, whole or none":                  {"--last-use-address", "half"},
	} {
		_, err := order(t, file, "", append([]string{"serve", "--address", "127.0.0.1:0"}, args...)...)
		require.ErrorContains(t, err, want)
	}
}

// A copy that stops at the last uses continues there, and copies each once.
func TestACopyIsResumedAtTheLastUses(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	laptop := issue(t, file, "--user", "alice", "--name", "laptop")
	recordUse(t, file, laptop.TokenID, time.Hour)
	dst := t.TempDir() + "/onezone.db"
	_, err := order(t, dst, "", "store", "migrate")
	require.NoError(t, err)
	edit(t, dst, "CREATE TRIGGER stop BEFORE INSERT ON onezone_uses BEGIN SELECT RAISE(ABORT, 'no space'); END")
	_, err = command(t, "store", "copy", "sqlite:"+file, "sqlite:"+dst)
	require.ErrorContains(t, err, "copied 2 records, and then: ")
	_, position, found := strings.Cut(err.Error(), "run again with --from ")
	require.True(t, found, err)
	edit(t, dst, "DROP TRIGGER stop")
	for range 2 {
		out, err := command(t, "store", "copy", "--from", position, "sqlite:"+file, "sqlite:"+dst)
		require.NoError(t, err)
		require.Equal(t, "copied 1 records to sqlite:"+dst+"\n", out)
	}
	_, err = command(t, "store", "compare", "sqlite:"+file, "sqlite:"+dst)
	require.NoError(t, err)
	require.EqualValues(t, 3, listTokens(t, dst)[0].LastUse.Count)
	out, err := order(t, dst, "", "store", "stats")
	require.NoError(t, err)
	require.Contains(t, out, "tokens with a recorded use\t1\n")
}
