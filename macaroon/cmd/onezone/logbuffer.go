package main

import (
	"bytes"
	"cmp"
	"io"
	"sync"
	"time"
)

const (
	// logDelay is the longest time before a log line is written. Writing each
	// line at once would cost half as much as a verification.
	logDelay = 100 * time.Millisecond
	// logBatch is the size from which lines are written without that delay, in
	// bytes.
	logBatch = 64 << 10
	// maxLogBuffer is the size of the lines that may wait for a slow writer, in
	// bytes. Then requests wait, too.
	maxLogBuffer = 512 << 10
)

// logBuffer collects log lines, and writes them in batches after at most
// logDelay. Requests do not wait for a write, unless maxLogBuffer is reached.
// Close flushes the buffer when the program ends; a process that is killed loses
// unwritten lines.
type logBuffer struct {
	out   io.Writer
	full  chan struct{} // has an element if a batch should be written at once
	end   chan struct{}
	ended sync.WaitGroup

	mu      sync.Mutex
	room    sync.Cond // lines is empty
	lines   []byte
	written []byte // reused for the next lines; the writer's
	err     error  // of the first write that failed
	closed  bool
}

func newLogBuffer(out io.Writer) *logBuffer {
	b := &logBuffer{out: out, full: make(chan struct{}, 1), end: make(chan struct{})}
	b.room.L = &b.mu
	b.ended.Go(func() {
		tick := time.NewTicker(logDelay)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-b.full:
			case <-b.end:
				b.flush()
				return
			}
			b.flush()
		}
	})
	return b
}

// Write implements [io.Writer]. Errors of the writes are those of Close. After
// Close, each line is written at once.
func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		_, err := b.out.Write(bytes.Clone(line)) // a clone, so that no caller's line escapes to the heap
		return len(line), err
	}
	for len(b.lines) > 0 && len(b.lines)+len(line) > maxLogBuffer {
		b.room.Wait()
	}
	b.lines = append(b.lines, line...)
	if len(b.lines) >= logBatch {
		select {
		case b.full <- struct{}{}:
		default:
		}
	}
	return len(line), nil
}

// flush writes the lines. Only the goroutine of the buffer calls it.
func (b *logBuffer) flush() {
	b.mu.Lock()
	lines := b.lines
	b.lines, b.written = b.written[:0], nil
	b.room.Broadcast()
	b.mu.Unlock()
	var err error
	if len(lines) > 0 {
		_, err = b.out.Write(lines)
	}
	b.mu.Lock()
	b.written, b.err = lines, cmp.Or(b.err, err)
	b.mu.Unlock()
}

// Close writes the remaining lines. The error is the first of all writes.
func (b *logBuffer) Close() error {
	close(b.end)
	b.ended.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if len(b.lines) > 0 { // written since the last flush
		_, err := b.out.Write(b.lines)
		b.lines, b.err = nil, cmp.Or(b.err, err)
	}
	return b.err
}
