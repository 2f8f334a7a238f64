package gate_test

import (
	"io"
	"log/slog"
)

// debugLogger returns a logger that writes everything.
func debugLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
