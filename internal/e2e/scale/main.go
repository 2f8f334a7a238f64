//go:build unix

// Scale prints docs/scale.md, and makes the measurements behind its tables.
//
//	go run ./internal/e2e/scale > docs/scale.md
//	go run ./internal/e2e/scale -measure sqlite -tokens 10000000
//	go run ./internal/e2e/scale -fanout redis -watchers 100
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/onezone-go/onezone/errors"
)

func main() {
	filled := flag.String("measure", "", "fill an `engine`, sqlite or postgres, and measure it")
	tokens := flag.Int("tokens", 1_000_000, "`number` of tokens of a measurement")
	watched := flag.String("fanout", "", "measure the feed of an `engine`: memory, sqlite, postgres, redis or rediscluster")
	watchers := flag.Int("watchers", 100, "`number` of replicas that watch the feed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *filled != "":
		err = runMeasure(ctx, *filled, *tokens)
	case *watched != "":
		err = runFanOut(ctx, *watched, *watchers)
	default:
		err = render(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func runMeasure(ctx context.Context, name string, tokens int) (err error) {
	e, err := newEngine(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return measure(ctx, e, dataset{tokens}, printer())
}

func runFanOut(ctx context.Context, name string, watchers int) (err error) {
	e, err := newShared(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return fanOut(ctx, e, watchers, revocations, printer())
}

// printer returns a report that prints a table.
func printer() report {
	fmt.Println("| what | figure |")
	fmt.Println("| --- | --- |")
	return func(what, figure string) { fmt.Printf("| %s | %s |\n", what, figure) }
}
