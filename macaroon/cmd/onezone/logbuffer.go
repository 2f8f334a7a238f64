package main

import (
	"bufio"
	"io"
	"sync"
	"time"
)

// logDelay is the longest time before a log line is written. Writing each line
// at once would cost half as much as a verification.
const logDelay = 100 * time.Millisecond

// logBuffer collects log lines and writes them after at most logDelay. Close
// flushes it when the program ends; a process that is killed loses unwritten
// lines.
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

// Close writes the remaining lines.
func (b *logBuffer) Close() error {
	close(b.end)
	b.ended.Wait()
	return b.flush()
}
