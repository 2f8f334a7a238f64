package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pty"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// logInAt runs "onetoken login" for alice, who types at the terminal.
func logInAt(t *testing.T, p *pty.Terminal, screen io.Writer) (ended chan outcome) {
	t.Helper()
	profile := file(t, "") + ".json"
	onezone := macaroontest.NewRemote(t)
	onezone.Clock.Set(time.Now())
	ended = make(chan outcome, 1)
	go func() {
		var out bytes.Buffer
		status := run(context.Background(), []string{"login", "--onezone", onezone.Origin, "--user", "alice", "--profile", profile},
			process{p.File, &out, screen, func(string) string { return "" }, isTerminal})
		ended <- outcome{status, out.String(), ""}
	}()
	return ended
}

func TestThePasswordIsNotShownOnTheTerminal(t *testing.T) {
	t.Parallel()
	p := pty.New(t)
	ended := logInAt(t, p, p.Unseen(t))
	p.Answer(t, `Password of "alice": `, macaroontest.Password+"\r")
	o := <-ended
	require.Equal(t, statusDone, o.status, p.Screen.String())
	assert.NotContains(t, p.Screen.String(), macaroontest.Password[:4])
	assert.True(t, p.Echoes(t), "the terminal is as before")
}

// Ctrl-C and Ctrl-D end the question.
func TestTheQuestionForThePasswordCanBeLeft(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"\x03", "\x04"} {
		p := pty.New(t)
		ended := logInAt(t, p, p.File)
		p.Answer(t, `Password of "alice": `, key)
		require.Equal(t, statusTrouble, (<-ended).status)
		require.Eventually(t, func() bool { return strings.HasSuffix(p.Screen.String(), "none was entered\r\n") }, 10*time.Second, time.Millisecond)
		assert.True(t, p.Echoes(t), "the terminal is as before")
	}
}
