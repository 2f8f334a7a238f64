package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDisconnectedScrapersAreNotErrors(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	scrapes := scrapeLog{&service{log: slog.New(slog.NewTextHandler(&log, nil))}}

	scrapes.Println("error encoding and sending metric family:", &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE})
	require.Empty(t, log.String())

	scrapes.Println("error gathering metrics:", errors.New("two metrics of one name"))
	require.Contains(t, log.String(), "level=ERROR")
	require.Contains(t, log.String(), `error="error gathering metrics: two metrics of one name"`)
}
