package main

import (
	"bufio"
	"io"
	"sync"
	"time"
)

// logDelay is how long a line of the log may wait to be written. A line for each
// request would otherwise cost as much as half of a verification.
const logDelay = 100 * time.Millisecond

// logBuffer gathers the lines of the log, and writes them after logDelay at most.
// What a process that is killed has not written is lost; one that ends closes it.
type logBuffer struct {
	mu    sync.Mutex
	lines *bufio.Writer
	end   chan struct{}
	ended sync.WaitGroup
}

func newLogBuffer(out io.Writer) *logBuffer {
	b := &logBuffer{lines: bufio.NewWriterSize(out, 1<<16), end: make(chan struct{})}
	b.ended.Go(func() {
		tick := time.NewTicker(logDelay)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = b.flush()
			case <-b.end:
				return
			}
		}
	})
	return b
}

// Write implements [io.Writer].
func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.Write(line)
}

func (b *logBuffer) flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.Flush()
}

// Close writes what is left.
func (b *logBuffer) Close() error {
	close(b.end)
	b.ended.Wait()
	return b.flush()
}
