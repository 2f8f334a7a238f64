package main

import (
	"log/slog"
	"net"
)

// notifier tells systemd the state of the service (sd_notify(3)). It is the
// address in NOTIFY_SOCKET, "" outside of systemd.
type notifier string

// send sends lines of the form NAME=VALUE.
func (n notifier) send(log *slog.Logger, state string) {
	if n == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: string(n), Net: "unixgram"})
	if err == nil {
		_, err = conn.Write([]byte(state))
		_ = conn.Close()
	}
	if err != nil {
		log.Warn("systemd was not told the state of the service", "state", state, "error", err)
	}
}
