package remote

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The tests move the clock of their synctest bubble, and do not wait.

func TestIdleGoroutinesAreFewAndEnd(t *testing.T) {
	for name, end := range map[string]func(close context.CancelFunc){
		"after a while":        func(context.CancelFunc) { time.Sleep(maxIdleTime) },
		"when the client ends": func(close context.CancelFunc) { close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				f := newFlights(ctx)
				var begun sync.WaitGroup
				for i := range byte(100) {
					begun.Add(1)
					f.join(key{i}, func() (*answer, error) {
						begun.Done()
						begun.Wait() // all at the same time
						return nil, nil
					})
				}
				synctest.Wait()
				require.EqualValues(t, maxIdleWorkers, f.workers.idle.Load())
				require.Empty(t, f.flying)

				end(cancel)
				synctest.Wait()
				require.Zero(t, f.workers.idle.Load())
			})
		})
	}
}

func TestWorkIsGivenToAnIdleGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		f := newFlights(ctx)
		for range 10 {
			<-f.join(key{}, func() (*answer, error) { return nil, nil }).landed
			synctest.Wait()
			require.EqualValues(t, 1, f.workers.idle.Load())
			time.Sleep(maxIdleTime / 2)
		}
	})
}
