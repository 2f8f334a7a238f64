package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// explainToken says whether a token would be accepted for a request, and why.
func explainToken(f *flags) action {
	var use attemptFlags
	use.declare(f)
	var days int
	value(f, &days, "days", "N", "how many days ahead to look for changes, 1 to 366; default 7", parseDays)
	var key secretFlag
	key.declare(f)
	asJSON := f.json("the explanation")
	var connection connectionFlags
	connection.declareCredentials(f)
	return func(ctx context.Context, p process, args []string) error {
		switch {
		case connection.onezone != "" && key.file != nil:
			return misuse("--onezone excludes --secret-file: the Onezone has the secret")
		case connection.user != "" && len(args) == 0:
			return misuse("with --user, the token must be in a file: explain --user NAME FILE")
		}
		trial := macaroon.Trial{Attempt: use.attempt(), Horizon: time.Duration(days) * 24 * time.Hour}
		token, err := p.readToken(args...)
		if err != nil {
			return err
		}
		e, err := connection.explain(ctx, p, key, token, trial)
		if err != nil {
			return err
		}
		if *asJSON {
			err = p.printJSON(e)
		} else {
			err = write(p.out, describeExplanation(e))
		}
		if err == nil && !e.Accepted() {
			err = verdict("the token is refused")
		}
		return err
	}
}

// explain explains the token with the secret, or at the Onezone if there is
// none.
func (c *connectionFlags) explain(ctx context.Context, p process, key secretFlag, token macaroon.Token, t macaroon.Trial) (macaroon.Explanation, error) {
	if key.file != nil || c.onezone == "" && p.getenv(secretVariable) != "" {
		secret, err := key.read(p.getenv)
		if err != nil {
			return macaroon.Explanation{}, err
		}
		return token.Explain(ctx, secret, t)
	}
	var e macaroon.Explanation
	err := c.with(p, func(account *remote.Account) (err error) {
		if t.Session == (caveat.Session{}) {
			t.Session = caveat.AnySession()
		}
		e, err = account.Explain(ctx, token, t)
		return err
	})
	return e, err
}

// describeExplanation formats an explanation, with one property per line.
func describeExplanation(e macaroon.Explanation) string {
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "%-12s %s\n", name, printable.Quote(text)) }
	if e.Accepted() {
		line("accepted", "yes")
	} else {
		line("accepted", "no: "+errors.From(e.Err).Error())
	}
	for _, c := range e.Checks {
		line(string(c.Step), passes(c.Err == nil)+c.Reason)
	}
	for _, c := range e.Caveats {
		line("caveat", c.Caveat.String())
		if !c.Added.IsZero() {
			line("  added", "by the owner at "+moment(c.Added.Unix()))
		}
		line("  "+verdictNames[c.Verdict], c.Reason)
		if c.Remedy != "" {
			line("  to hold", c.Remedy)
		}
		for _, change := range c.Changes {
			line("  from", moment(change.At.Unix())+" it "+map[bool]string{true: "holds", false: "does not hold"}[change.Holds])
		}
	}
	for _, change := range e.Changes {
		line("from", moment(change.At.Unix())+" the token is "+map[bool]string{true: "accepted", false: "refused"}[change.Holds])
	}
	return b.String()
}

var verdictNames = map[caveat.Verdict]string{caveat.Holds: "holds", caveat.DoesNotHold: "fails", caveat.CannotTell: "unknown"}

func passes(ok bool) string {
	if ok {
		return "ok: "
	}
	return "FAILS: "
}

// parseDays reads how far ahead an explanation looks.
func parseDays(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && (n < 1 || n > 366) {
		err = errBadValue
	}
	return n, err
}
