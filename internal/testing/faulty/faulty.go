// Package faulty tests conformance suites: each must notice faults that were
// built into an implementation on purpose.
package faulty

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Suite is a test that runs a conformance suite against an implementation with
// a fault.
type Suite struct {
	Test string // name of the test function, which skips if Env is not set
	Env  string // environment variable with the name of the fault
}

// RequireCaught runs one check of the suite, such as "AREA/a rule of the area",
// with the fault, and requires that the check fails within the limit. It uses a
// separate process, because an expected failure would fail this test.
func (s Suite) RequireCaught(t *testing.T, fault, check string, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	name := s.Test + "/" + strings.ReplaceAll(check, " ", "_")
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(name), "/", "$/^") + "$"
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run="+pattern, "-test.timeout="+limit.String(), "-test.v")
	cmd.Env = append(os.Environ(), s.Env+"="+fault)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		t.Fatalf("the suite does not notice: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- FAIL: "+name+" ") {
		t.Errorf("it failed for another reason\n%s", out)
	}
	for _, crash := range []string{"panic: ", "DATA RACE"} {
		if strings.Contains(string(out), crash) {
			t.Errorf("it did not fail but crash\n%s", out)
		}
	}
}
