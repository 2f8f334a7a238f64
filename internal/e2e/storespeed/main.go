//go:build unix

// Storespeed compares the speed of the stores with that of an earlier commit,
// and fails if an operation has become slower by more than five percent.
//
//	go run ./internal/e2e/storespeed -old COMMIT
//
// It must run in the top directory of a clone. Both versions answer the same
// requests in alternating rounds, so that other load on the machine affects
// both. Figures are medians over the rounds; that of a round is a lower quartile.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
)

// maxRatio is the highest acceptable ratio of the time to that of the old
// commit.
const maxRatio = 1.05

// rounds is the directory of the program that both commits compile.
const rounds = "internal/e2e/storespeed/rounds"

var operations = []string{
	"look-up", "look-up of a temporary key", "verify", "read a record", "list ten tokens", "revoke", "create", "create, 64 callers",
}

func main() {
	old := flag.String("old", "HEAD", "`commit` to compare with")
	engines := flag.String("engines", "memory,cache,sqlite,postgres,redis", "`names` of the engines to compare")
	n := flag.Int("rounds", 200, "`rounds` of each version and operation")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *old, strings.Split(*engines, ","), *n); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, old string, engines []string, n int) (err error) {
	dir, err := os.MkdirTemp("", "onezone-storespeed-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	programs, err := compile(ctx, dir, old)
	if err != nil {
		return err
	}
	fmt.Println("| store | operation | old, us | new, us | ratio | target |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | --- |")
	var slower []error
	for _, engine := range engines {
		c := comparison{engine: engine, programs: programs, dir: dir, n: n}
		if err := c.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		slower = append(slower, c.slower...)
	}
	return errors.Join(slower...)
}

// compile returns the program of the old commit and that of the working tree.
func compile(ctx context.Context, dir, old string) (programs [2]string, err error) {
	tree := filepath.Join(dir, "tree")
	script := `set -e; mkdir "$1"; git archive "$2" | tar -x -C "$1"; mkdir -p "$1/` + rounds + `"; cp ` + rounds + `/*.go "$1/` + rounds + `/"`
	if err := quietly(exec.CommandContext(ctx, "/bin/sh", "-c", script, "sh", tree, old)); err != nil {
		return programs, err
	}
	for i, from := range []string{tree, "."} {
		programs[i] = filepath.Join(dir, []string{"old", "new"}[i])
		build := exec.CommandContext(ctx, "go", "build", "-o", programs[i], "./"+rounds)
		build.Dir = from
		if err := quietly(build); err != nil {
			return programs, err
		}
	}
	return programs, nil
}

func quietly(c *exec.Cmd) error {
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("run %v: %w: %s", c.Args, err, out)
	}
	return nil
}

// comparison compares both versions of one store.
type comparison struct {
	engine   string
	programs [2]string
	dir      string
	n        int // rounds
	slower   []error
}

func (c *comparison) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	places, end, err := c.places()
	if err != nil {
		return err
	}
	defer end()
	var versions [2]*version
	for i := range versions {
		if versions[i], err = start(ctx, c.programs[i], c.engine, places[i]); err != nil {
			return err
		}
		defer versions[i].end()
	}
	for _, operation := range operations {
		if err := c.compare(versions, operation); err != nil {
			return fmt.Errorf("%s: %w", operation, err)
		}
	}
	return nil
}

// places returns where each version keeps its store.
func (c *comparison) places() (places [2]string, end func(), err error) {
	switch c.engine {
	case "postgres":
		server, err := pgtest.New()
		if err != nil {
			return places, nil, err
		}
		return [2]string{server.URL, server.URL}, func() { _ = server.Close() }, nil
	case "redis":
		dir := filepath.Join(c.dir, "redis")
		if err := os.Mkdir(dir, 0o700); err != nil {
			return places, nil, err
		}
		server, err := redistest.Start(dir, "--appendonly", "yes", "--appendfsync", "always")
		if err != nil {
			return places, nil, err
		}
		return [2]string{"redis://" + server.Addr, "redis://" + server.Addr}, server.Kill, nil
	}
	return [2]string{filepath.Join(c.dir, c.engine+".old"), filepath.Join(c.dir, c.engine+".new")}, func() {}, nil
}

// compare prints the row of an operation.
func (c *comparison) compare(versions [2]*version, operation string) error {
	var took [2][]float64
	var ratios []float64
	for n := range c.n {
		var round [2]float64
		for i := range versions {
			i := (i + n) % 2 // each goes first in turn
			var err error
			if round[i], err = versions[i].time(operation); err != nil {
				return err
			}
			took[i] = append(took[i], round[i])
		}
		ratios = append(ratios, round[1]/round[0])
	}
	ratio, missed := median(ratios), ""
	if ratio > maxRatio {
		missed = " **missed**"
		c.slower = append(c.slower, fmt.Errorf("%s: %s takes %.2f of the time before", c.engine, operation, ratio))
	}
	fmt.Printf("| %s | %s | %.3g | %.3g | %.2f | <= %.2f%s |\n", c.engine, operation, median(took[0])/1000, median(took[1])/1000, ratio, maxRatio, missed)
	return nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// version is a running program of one version.
type version struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func start(ctx context.Context, program, engine, place string) (*version, error) {
	v := &version{command: exec.CommandContext(ctx, program, engine, place)}
	v.command.Stderr, v.command.WaitDelay = os.Stderr, time.Minute
	in, err := v.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := v.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	v.in, v.out = in, bufio.NewScanner(out)
	return v, v.command.Start()
}

// time makes the program time an operation, in nanoseconds.
func (v *version) time(operation string) (float64, error) {
	if _, err := fmt.Fprintln(v.in, operation); err != nil {
		return 0, err
	}
	if !v.out.Scan() {
		return 0, errors.Join(errors.New("the program ended"), v.out.Err())
	}
	return strconv.ParseFloat(v.out.Text(), 64)
}

func (v *version) end() {
	_ = v.in.Close()
	_ = v.command.Wait()
}
