package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// build builds the program and returns its path.
func build(ctx context.Context, t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "onetoken")
	built, err := exec.CommandContext(ctx, "go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(built))
	return binary
}

// Runs the installed program: mint | confine | verify.
func TestTheBinaryInAPipe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	binary := build(ctx, t)
	secret := file(t, exampleSecret+"\n")
	pipe := func(confineTo ...string) (proof, complaint string, status int) {
		var stdout bytes.Buffer
		var stderr [3]bytes.Buffer // the stages write concurrently
		stages := []*exec.Cmd{
			exec.CommandContext(ctx, binary, "mint", "--domain", exampleDomain, "--id", exampleID, "--subject", exampleUser, "--secret-file", secret, exampleTime),
			exec.CommandContext(ctx, binary, append([]string{"confine"}, confineTo...)...),
			exec.CommandContext(ctx, binary, "verify", "--now", "1571147493", "--ip", "189.34.15.7"),
		}
		for i, stage := range stages {
			stage.Env, stage.Stderr = []string{}, &stderr[i]
			if i > 0 {
				out, err := stages[i-1].StdoutPipe()
				require.NoError(t, err)
				stage.Stdin = out
			}
		}
		last := stages[len(stages)-1]
		last.Env = []string{secretVariable + "=" + exampleSecret}
		last.Stdout = &stdout
		for _, stage := range stages {
			require.NoError(t, stage.Start())
		}
		// In reverse order, because Wait closes the pipe that the next stage
		// reads.
		_ = last.Wait()
		require.NoError(t, stages[1].Wait())
		require.NoError(t, stages[0].Wait())
		return stdout.String(), stderr[0].String() + stderr[1].String() + stderr[2].String(), last.ProcessState.ExitCode()
	}

	proof, complaint, status := pipe(exampleIP)
	assert.Equal(t, statusDone, status)
	assert.Equal(t, exampleProof, proof)
	assert.Empty(t, complaint)

	proof, complaint, status = pipe("ip = 10.0.0.0/8")
	assert.Equal(t, statusRefused, status)
	assert.Empty(t, proof)
	assert.Contains(t, complaint, "onetoken: tokenCaveatUnverified: ")

	misused := exec.CommandContext(ctx, binary, "verify", exampleToken)
	require.Error(t, misused.Run())
	assert.Equal(t, statusTrouble, misused.ProcessState.ExitCode())
}

// The time of the processor in half of the runs, start-up included.
func TestInspectTakesLessThanTwentyMilliseconds(t *testing.T) {
	t.Parallel()
	binary := build(t.Context(), t)
	var took []time.Duration
	for range 21 {
		inspect := exec.CommandContext(t.Context(), binary, "inspect")
		inspect.Stdin = strings.NewReader(exampleToken)
		require.NoError(t, inspect.Run())
		took = append(took, inspect.ProcessState.UserTime()+inspect.ProcessState.SystemTime())
	}
	slices.Sort(took)
	assert.Less(t, took[len(took)/2], 20*time.Millisecond)
	t.Log("median", took[len(took)/2])
}
