//go:build e2e

package stores_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
)

// patience is the timeout for expected events.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	code := pgtest.Main(m)
	redistest.Cleanup()
	if pools.shared != nil {
		pools.shared.Close()
	}
	if left := leftBehind(); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "goroutines are left after all stores were closed:\n\n%s\n", strings.Join(left, "\n\n"))
		code = 1
	}
	os.Exit(code)
}

// leftBehind returns the stacks of goroutines that stores started and did not
// stop. Goroutines of connections stop shortly after the connection is closed.
func leftBehind() (stacks []string) {
	for deadline := time.Now().Add(patience); ; <-time.After(10 * time.Millisecond) {
		stacks = nil
		buffer := make([]byte, 1<<22)
		all := strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n")
		for _, stack := range all[1:] { // the first is this one
			for _, of := range []string{"onezone/store/", "jackc/pgx", "jackc/puddle", "redis/rueidis", "database/sql", "maypok86/otter"} {
				if strings.Contains(stack, of) {
					stacks = append(stacks, stack)
					break
				}
			}
		}
		if len(stacks) == 0 || time.Now().After(deadline) {
			return stacks
		}
	}
}
