package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// entry is a line of the log in JSON.
type entry struct {
	Level, Msg, ID, Kind, User, Reason, Subject, Token, Client, Request, Actor, By, Operator string
	Status                                                                                   int
}

// entries returns the lines of a log that have the message.
func entries(t *testing.T, log, message string) (list []entry) {
	t.Helper()
	for line := range strings.Lines(log) {
		var e entry
		require.NoError(t, json.Unmarshal([]byte(line), &e), line)
		if e.Msg == message {
			list = append(list, e)
		}
	}
	return list
}

// An attack on passwords is logged at every level below error.
func TestFailedLogInsAreLogged(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"info", "warn"} {
		s, end := inProcess(t, "--store", "memory:", "--log-format", "json", "--log-level", level)
		name := "root\u202e\n\x1b[2J" + strings.Repeat("n", 100)
		guesses, status := 0, 0
		for status != http.StatusTooManyRequests { // one more guess is allowed every six seconds
			status = s.do("GET", "/user", "", "Authorization", basic(name, "a guess"), "X-Request-Id", fmt.Sprint("r-", guesses)).status
			guesses++
			require.Less(t, guesses, 100)
		}
		metrics := s.metrics()
		end()

		events := entries(t, s.log.String(), "event")
		var failed []entry
		for _, e := range events {
			if e.Level == "WARN" {
				failed = append(failed, e)
			}
		}
		require.Len(t, failed, guesses)
		for i, e := range failed {
			want := entry{Level: "WARN", Msg: "event", Kind: "logInFailed", Reason: "badBasicCredentials", Client: "127.0.0.1", Request: fmt.Sprint("r-", i)}
			if i == guesses-1 {
				want.Kind, want.Reason = "logInThrottled", "temporaryFailure"
			}
			want.ID, want.User = e.ID, `root\u202e\u000a\u001b[2J`+strings.Repeat("n", 64-len("root??[2J")-1)+"..."
			require.Equal(t, want, e)
			require.Len(t, e.ID, 36)
		}
		require.NotContains(t, s.log.String(), "a guess")
		require.Contains(t, metrics, fmt.Sprintf("\nonezone_logins_total{outcome=\"badBasicCredentials\"} %d\n", guesses-1))
		require.Contains(t, metrics, "\nonezone_logins_total{outcome=\"throttled\"} 1\n")
	}
}

// The line of a request has its client and its id.
func TestTheLogNamesTheClientOfARequest(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--log-format", "json")
	id, token := s.newToken("laptop")
	res := s.do("GET", "/user", "", "X-Auth-Token", token)
	require.Equal(t, 200, res.status)
	user := "usr-" + field(t, res.body, "userId")
	require.Equal(t, http.StatusNoContent, s.do("DELETE", "/tokens/named/"+id, "", "X-Auth-Token", token, "X-Request-Id", "r-3").status)
	require.Equal(t, 404, s.do("GET", "/no/such/route", "").status)
	end()

	requests := entries(t, s.log.String(), "request")
	require.Len(t, requests, 4)
	for i, r := range requests {
		require.NotEmpty(t, r.Request)
		if i < 3 {
			require.Equal(t, []string{user, "token"}, []string{r.Actor, r.By})
		}
	}
	require.Equal(t, res.header.Get("X-Request-Id"), requests[1].Request)
	var deleted []entry
	for _, e := range entries(t, s.log.String(), "event") {
		if e.Kind == "deleted" {
			deleted = append(deleted, e)
		}
	}
	require.Len(t, deleted, 1)
	require.Equal(t, entry{
		Level: "INFO", Msg: "event", ID: deleted[0].ID, Kind: "deleted", Token: id,
		Client: "127.0.0.1", Request: "r-3", Actor: user, By: "token",
	}, deleted[0])
}

// Commands of administration log the same events as the API.
func TestAdministrationLeavesEvents(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "onezone.db")
	for _, c := range []struct {
		kind string
		args []string
	}{
		{"userCreated", []string{"user", "add", "--generate", "alice"}},
		{"passwordSet", []string{"user", "passwd", "--generate", "alice"}},
		{"userBlocked", []string{"user", "block", "alice"}},
		{"userUnblocked", []string{"user", "unblock", "alice"}},
		{"providerCreated", []string{"provider", "add", "lyon-1"}},
		{"userBlocked", []string{"provider", "block", "lyon-1"}},
	} {
		var out, log syncbuffer.Buffer
		args := append(c.args, "--store", "sqlite:"+file, "--log-format", "json", "--log-level", "info")
		require.NoError(t, run(t.Context(), args, stdio{strings.NewReader(""), &out, &log}, unset))
		events := entries(t, log.String(), "event")
		require.Len(t, events, 1)
		e := events[0]
		require.Equal(t, []string{c.kind, "command"}, []string{e.Kind, e.By})
		require.Equal(t, c.args[0] == "user", e.User == "alice")
		require.NotEmpty(t, e.Operator)
		require.NotEmpty(t, e.Request)
		require.NotEmpty(t, e.Subject)
		_, password, _ := strings.Cut(strings.TrimSpace(out.String()), ", password ")
		if password != "" {
			require.NotContains(t, log.String(), password)
		}
	}
}

func TestCommandsLogNoChangesUnlessAsked(t *testing.T) {
	t.Parallel()
	var out, log syncbuffer.Buffer
	args := []string{"user", "add", "--no-password", "alice", "--store", "sqlite:" + filepath.Join(t.TempDir(), "onezone.db")}
	require.NoError(t, run(t.Context(), args, stdio{strings.NewReader(""), &out, &log}, unset))
	require.Contains(t, out.String(), "created user alice")
	require.Empty(t, log.String())
}

// One machine may compose the characters of a password and another decompose
// them (RFC 8265).
func TestPasswordsInOtherUnicodeForms(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "onezone.db")
	const decomposed, composed, spaced = "cafe\u0301 au lait", "caf\u00e9 au lait", "caf\u00e9\u3000au\u00a0lait"
	_, err := order(t, file, decomposed+"\n", "user", "add", "alice")
	require.NoError(t, err)
	s, end := inProcess(t, "--store", "sqlite:"+file)
	defer end()
	for _, password := range []string{decomposed, composed, spaced} {
		require.Equal(t, 200, s.do("GET", "/user", "", "Authorization", basic("alice", password)).status, "%+q", password)
	}
	for _, password := range []string{"cafe au lait", "Caf\u00e9 au lait", "caf\u00e9 au lait\a", "\xff", ""} {
		require.Equal(t, 401, s.do("GET", "/user", "", "Authorization", basic("alice", password)).status, "%+q", password)
	}
	_, err = order(t, file, "with a bell \a\n", "user", "passwd", "alice")
	require.ErrorContains(t, err, "badValuePassword")
}
