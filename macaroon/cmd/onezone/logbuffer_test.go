package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

func TestLogLinesAreWrittenSoonAndNoneIsLostAtTheEnd(t *testing.T) {
	t.Parallel()
	var out syncbuffer.Buffer
	b := newLogBuffer(&out)
	_, err := b.Write([]byte("one\n"))
	require.NoError(t, err)
	eventually(t, func() bool { return out.String() == "one\n" }, "the line is written without Close")
	_, err = b.Write([]byte("two\n"))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	require.Equal(t, "one\ntwo\n", out.String())
	_, err = b.Write([]byte("late\n"))
	require.NoError(t, err)
	require.Equal(t, "one\ntwo\nlate\n", out.String())
}

// gatedWriter writes when the gate is open.
type gatedWriter struct {
	io.Writer
	gate chan struct{}
}

func (w gatedWriter) Write(p []byte) (int, error) {
	<-w.gate
	return w.Writer.Write(p)
}

func TestASlowLogIsBoundedAndLosesNoLine(t *testing.T) {
	t.Parallel()
	var out syncbuffer.Buffer
	gate := make(chan struct{})
	b := newLogBuffer(gatedWriter{&out, gate})
	const writers, lines = 8, 300
	filler := strings.Repeat("x", 1000) // together more than twice maxLogBuffer
	var all sync.WaitGroup
	for writer := range writers {
		all.Go(func() {
			for line := range lines {
				_, _ = fmt.Fprintf(b, "%d %d %s\n", writer, line, filler)
			}
		})
	}
	waiting := func() (size int) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.lines)
	}
	eventually(t, func() bool { return waiting() > maxLogBuffer-2*len(filler) }, "the buffer is full")
	require.LessOrEqual(t, waiting(), maxLogBuffer)
	close(gate)
	all.Wait()
	require.NoError(t, b.Close())
	next := make([]int, writers)
	written := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, written, writers*lines)
	for _, text := range written {
		var writer, line int
		_, err := fmt.Sscan(text, &writer, &line)
		require.NoError(t, err)
		require.Equal(t, next[writer], line, "lines keep their order")
		next[writer]++
	}
}

type brokenWriter struct{ error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.error }

func TestAFailureToWriteTheLogIsReportedAtTheEnd(t *testing.T) {
	t.Parallel()
	failure := errors.New("disk full")
	b := newLogBuffer(brokenWriter{failure})
	_, err := b.Write([]byte("one\n"))
	require.NoError(t, err)
	require.ErrorIs(t, b.Close(), failure)
}
