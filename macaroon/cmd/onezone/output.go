package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	// Whether a stream is a terminal, and passwords that do not show while they
	// are typed. The standard library has neither.
	"golang.org/x/term"

	"github.com/onezone-go/onezone/internal/printable"
)

// jsonFlag lets the command print its result as JSON.
func (p *program) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&p.asJSON, "json", false, "print JSON")
}

// print prints a result: as JSON with --json, otherwise as a line.
func (p *program) print(result any, format string, args ...any) error {
	if p.asJSON {
		return p.printJSON(result)
	}
	return p.say(format, args...)
}

// printChanged prints what was done to the record of a kind with the id, whose
// key in JSON is given.
func (p *program) printChanged(key, kind, id, done string) error {
	return p.print(map[string]string{key: id, "result": done}, "%s %s %s", done, kind, id)
}

// printList prints a list: as JSON with --json, otherwise as a table with a row
// for each element.
func printList[T any](p *program, list []T, header []string, row func(T) []string) error {
	rows := make([][]string, len(list))
	for i, each := range list {
		rows[i] = row(each)
	}
	return p.printTable(list, header, rows)
}

// printJSON prints a value as indented JSON.
func (p *program) printJSON(v any) error {
	e := json.NewEncoder(printable.NewWriter(p.out))
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printTable prints a result: as JSON with --json, otherwise as rows, aligned
// under the header on a terminal and separated by tabs elsewhere. Unprintable
// characters are escaped.
func (p *program) printTable(result any, header []string, rows [][]string) error {
	if p.asJSON {
		return p.printJSON(result)
	}
	return printable.Table(p.out, isTerminal(p.out), append([][]string{header}, rows...))
}

// say prints a line of results.
func (p *program) say(format string, args ...any) error {
	_, err := fmt.Fprintln(printable.NewWriter(p.out), fmt.Sprintf(format, args...))
	return err
}

// progress returns a function that shows how much of the work is done, on a
// terminal, and one that ends the line.
func (p *program) progress(doing string) (show func(done, total int64), end func()) {
	if !isTerminal(p.err) {
		return func(int64, int64) {}, func() {}
	}
	shown := false
	show = func(done, total int64) {
		shown = true
		if total == 0 {
			fmt.Fprintf(p.err, "\r%s: %d", doing, done)
			return
		}
		const width = 30
		filled := int(done * width / total)
		fmt.Fprintf(p.err, "\r%s [%s%s] %d of %d", doing, strings.Repeat("#", filled), strings.Repeat(".", width-filled), done, total)
	}
	return show, func() {
		if shown {
			fmt.Fprintln(p.err)
		}
	}
}

// isTerminal reports whether the stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// askHidden asks the questions on the terminal and returns the answers, which
// are not shown: the terminal shows nothing from before the first question on.
func (p *program) askHidden(terminal *os.File, questions ...string) (answers []string, err error) {
	state, err := term.MakeRaw(int(terminal.Fd()))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, term.Restore(int(terminal.Fd()), state)) }()
	dialog := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{terminal, p.err}, "")
	for _, question := range questions {
		answer, err := dialog.ReadPassword(question)
		if err == io.EOF { // Ctrl-C, Ctrl-D or a closed terminal
			return nil, errors.New("none was entered")
		}
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}
