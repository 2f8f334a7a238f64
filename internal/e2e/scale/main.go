//go:build unix

// Scale prints the tables of docs/scale.md, and makes the measurements behind
// them.
//
//	go run ./internal/e2e/scale
//	go run ./internal/e2e/scale -measure sqlite -tokens 10000000
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
	engine := flag.String("measure", "", "fill an `engine`, sqlite or postgres, and measure it")
	tokens := flag.Int("tokens", 1_000_000, "`number` of tokens of a measurement")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *engine, *tokens); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, tokens int) (err error) {
	e, err := newEngine(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	fmt.Println("| what | figure |")
	fmt.Println("| --- | --- |")
	return measure(ctx, e, dataset{tokens}, func(what, figure string) { fmt.Printf("| %s | %s |\n", what, figure) })
}
