package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"

	"github.com/onezone-go/onezone/macaroon"
)

func TestHelpGoesToStandardOutput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"help"}, {"-h"}, {"--help"}} {
		out := onetoken("", args...).done(t)
		for _, c := range commands {
			assert.Regexp(t, "\n  "+c.name+" +"+c.short+"\n", out)
		}
	}
	for _, c := range commands {
		for _, args := range [][]string{{"help", c.name}, {c.name, "--help"}, {c.name, "-h"}} {
			out := onetoken("", args...).done(t)
			assert.True(t, strings.HasPrefix(out, c.short+".\n\nUsage:\n  onetoken "+c.name+" [flags]"), out)
			assert.Contains(t, out, "\nExamples:\n"+c.example+"\n")
		}
	}
	assert.Regexp(t, "\n      --secret-file FILE +the file that holds the secret; ", onetoken("", "mint", "-h").done(t))
}

func TestTheFirstArgumentIsACommand(t *testing.T) {
	t.Parallel()
	onetoken("").trouble(t, "give a command")
	for _, args := range [][]string{{"sign"}, {""}, {"--json"}, {"-x", "sign"}, {exampleSecret}, {"-" + exampleSecret}} {
		o := onetoken(exampleToken, args...)
		o.trouble(t, "unknown command")
		o.trouble(t, "; the commands are inspect, ")
		leaksNothing(t, o.err, exampleToken, exampleSecret)
	}
	onetoken("", "Inspekt").trouble(t, "unknown command, did you mean inspect?; ")
}

func TestBadFlagsAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, says string }{
		{"inspect --yaml", "unknown flag --yaml; see onetoken inspect --help"},
		{"mint --secret hunter2", "unknown flag --secret, did you mean --secret-file?; see onetoken mint --help"},
		{"mint --subject", "--subject needs a value; see onetoken mint --help"},
		{"inspect --json=perhaps", "--json takes true or false; see onetoken inspect --help"},
		{"inspect -json", "unknown flag; flags have two dashes: --json; see"},
		{"mint -subject usr-a", "unknown flag; flags have two dashes: --subject; see"},
		{"inspect ---", "a flag is not valid; see"},
		{"inspect -q", "unknown flag; flags have two dashes; see"},
		{"mint --subject alice", "--subject takes the subject of the token, usr-ID or prv-ID"},
		{"mint --type boss", "--type takes act"},
		{"mint --generation -1", "--generation takes the generation"},
		{"mint --generation 9223372036854775808", "--generation takes"},
		{"confine --ttl 1", "--ttl takes the lifetime"},
		{"confine --ttl 999ms", "--ttl takes"},
		{"confine --ttl -1h", "--ttl takes"},
		{"confine --now yesterday", "--now takes Unix seconds or RFC 3339"},
		{"verify --now -1", "--now takes"},
		{"verify --now 253402300800", "--now takes"},
		{"verify --ip 10.0.0", "--ip takes the address"},
		{"verify --interface gui", "--interface takes the interface that received the token: rest, oneclient or graphsync"},
		{"verify --service xyz-1", "--service takes the service"},
		{"verify --service opw-", "--service takes"},
		{"verify --service opw-*", "--service takes"},
		{"verify --consumer alice", "--consumer takes who uses the token"},
		{"verify --consumer usr-", "--consumer takes"},
		{"verify --consumer usr-*", "--consumer takes"},
		{"verify --consumer grp-g1", "--consumer takes"},
		{"verify --session=", "--session takes the session"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			o := onetoken(exampleToken, strings.Fields(c.args)...)
			o.trouble(t, c.says)
			assert.NotContains(t, o.err, "hunter2")
		})
	}
}

// Users may misplace a token or secret on the command line; messages must not
// repeat it.
func TestAMisplacedTokenOrSecretIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"inspect", "?"},
		{"inspect", "?", "?"},
		{"inspect", "--json=?"},
		{"inspect", "-?"},
		{"inspect", "---?"},
		{"inspect", "-=?"},
		{"confine", "?"},
		{"confine", "time < 5", "?"},
		{"confine", "time < ?"},
		{"confine", "service = opw-?/"},
		{"confine", "--ttl", "?"},
		{"confine", "--now", "?"},
		{"mint", "--secret", "?"},
		{"mint", "--secret=?"},
		{"mint", "--subject", "?"},
		{"mint", "--subject", "usr-a/?"},
		{"mint", "--subject", "usr-a", "--type", "?"},
		{"mint", "--subject", "usr-a", "--type", "act:/?"},
		{"mint", "--subject", "usr-a", "--id", "/?"},
		{"mint", "--subject", "usr-a", "--domain", "\n?"},
		{"mint", "--subject", "usr-a", "--generation", "?"},
		{"mint", "--subject", "usr-a", "--secret-file", "?"},
		{"mint", "--subject", "usr-a", "?"},
		{"verify", "?"},
		{"verify", "--ip", "?"},
		{"verify", "--interface", "?"},
		{"verify", "--service", "?"},
		{"verify", "--consumer", "?"},
		{"verify", "--now", "?"},
		{"verify", "--secret-file", "?"},
		{"verify", "--allow-data=?"},
		{"verify", "--identity=?"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			for _, misplaced := range []string{exampleToken, exampleSecret} {
				given := make([]string, len(args))
				for i, arg := range args {
					given[i] = strings.ReplaceAll(arg, "?", misplaced)
				}
				o := onetoken(exampleToken, given...)
				o.trouble(t, "")
				leaksNothing(t, o.err, exampleToken, exampleSecret)
			}
		})
	}
}

// All commands refuse bad input on standard input in the same way.
func TestATokenThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	// It is long, so that pieces of it would be found.
	broken := strings.Replace(exampleToken, "MDAyMWxvY2F0", "MDAyMWxvY2E0", 1)
	for _, c := range []struct{ name, text, id string }{
		{"nothing", "", "badToken"},
		{"an empty line", "\n", "badToken"},
		{"a secret", exampleSecret, "badToken"},
		{"a broken token", broken, "badToken"},
		{"two tokens", exampleToken + "\n" + exampleToken + "\n", "badToken"},
		{"the mark of another service", "ozw-" + exampleToken, "badToken"},
		{"one byte too many", strings.Repeat("A", macaroon.DefaultMaxSize+1), "tokenTooLarge"},
		{"one byte too many and a line ending", strings.Repeat("A", macaroon.DefaultMaxSize+1) + "\r\n", "tokenTooLarge"},
		{"the largest size", strings.Repeat("A", macaroon.DefaultMaxSize) + "\r\n", "badToken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, args := range [][]string{{"inspect"}, {"inspect", "--json"}, {"inspect", file(t, c.text)}, {"confine", "time < 5"}, {"verify"}} {
				o := onetoken(c.text, args...)
				o.refused(t, c.id)
				leaksNothing(t, o.err, broken, exampleSecret)
			}
		})
	}
}

// endless is an endless stream that counts the bytes read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	e.read += len(p)
	return len(p), nil
}

func TestInputIsReadOnlyUpToTheLargestToken(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"inspect"}, {"confine", "time < 5"}, {"verify"}} {
		var in endless
		var out, stderr bytes.Buffer
		status := run(t.Context(), args, process{&in, &out, &stderr, func(string) string { return exampleSecret }, isTerminal})
		outcome{status, out.String(), stderr.String()}.refused(t, "tokenTooLarge")
		assert.LessOrEqual(t, in.read, maxInput+1)
	}
}

func TestInputAndOutputErrorsAreNotRefusals(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is on fire")
	for _, args := range [][]string{
		{"inspect"}, {"inspect", "--json"}, {"confine", "time < 5"}, {"verify", "--now", "0", "--ip", "189.34.15.1"},
	} {
		var out, stderr bytes.Buffer
		status := run(t.Context(), args, process{iotest.ErrReader(broken), &out, &stderr, func(string) string { return exampleSecret }, isTerminal})
		outcome{status, out.String(), stderr.String()}.trouble(t, "reading the token: the disk is on fire")
		writeFails(t, args)
	}
	writeFails(t, []string{"mint", "--subject", "usr-a"})
	writeFails(t, []string{"help"})
	writeFails(t, []string{"mint", "--help"})
}

// writeFails runs the program with an output that fails.
func writeFails(t *testing.T, args []string) {
	t.Helper()
	var stderr bytes.Buffer
	status := run(t.Context(), args, process{strings.NewReader(exampleToken), fullDisk{}, &stderr, func(string) string { return exampleSecret }, isTerminal})
	outcome{status, "", stderr.String()}.trouble(t, "writing the output: no space")
	leaksNothing(t, stderr.String(), exampleToken, exampleSecret)
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space") }
