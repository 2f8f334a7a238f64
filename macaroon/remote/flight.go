package remote

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// flights shares the work of concurrent callers. It does what
// golang.org/x/sync/singleflight does, on goroutines that are used again: a new
// one grows its stack for TLS, which takes 8 % of the time of a question.
type flights struct {
	mu      sync.Mutex
	flying  map[key]*flight
	workers workers
}

// flight is the work for a key. The results are set before landed is closed.
type flight struct {
	landed chan struct{}
	answer *answer
	err    error
}

// newFlights returns flights whose goroutines end with the context.
func newFlights(ctx context.Context) *flights {
	return &flights{flying: make(map[key]*flight), workers: workers{jobs: make(chan func()), done: ctx.Done()}}
}

// join returns the flight with the key. If there is none, it starts one that
// calls work. The flight ends when work does, whatever its callers wait for.
func (f *flights) join(k key, work func() (*answer, error)) *flight {
	f.mu.Lock()
	one, found := f.flying[k]
	if !found {
		one = &flight{landed: make(chan struct{})}
		f.flying[k] = one
	}
	f.mu.Unlock()
	if !found {
		f.workers.do(func() {
			one.answer, one.err = work()
			f.mu.Lock()
			delete(f.flying, k)
			f.mu.Unlock()
			close(one.landed)
		})
	}
	return one
}

// Limits of goroutines that wait for work.
const (
	maxIdleWorkers = 32 // as many as there are idle connections
	maxIdleTime    = 90 * time.Second
)

// workers calls functions in goroutines. Each waits for a while for the next
// function, with the stack that it has grown.
type workers struct {
	jobs chan func() // unbuffered: only a goroutine that waits takes a job
	done <-chan struct{}
	idle atomic.Int64
}

// do calls the function in a goroutine.
func (w *workers) do(job func()) {
	select {
	case w.jobs <- job:
	default:
		go w.work(job)
	}
}

func (w *workers) work(job func()) {
	timer := time.NewTimer(maxIdleTime)
	defer timer.Stop()
	for job != nil {
		job()
		job = w.next(timer)
	}
}

// next returns the next job, nil if the goroutine should end.
func (w *workers) next(timer *time.Timer) func() {
	defer w.idle.Add(-1)
	if w.idle.Add(1) > maxIdleWorkers {
		return nil
	}
	timer.Reset(maxIdleTime)
	select {
	case job := <-w.jobs:
		return job
	case <-timer.C:
	case <-w.done:
	}
	return nil
}
