package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// maxRequests is the largest file of recorded requests, in bytes.
const maxRequests = 16 << 20

// narrow proposes the tightest caveats that let recorded requests through.
func narrow(f *flags) action {
	var requests string
	value(f, &requests, "requests", "FILE", "the recorded requests, required: on each line a JSON object such as {\"time\":1700000000,\"peerIp\":\"10.1.2.3\",\"interface\":\"rest\"}", verbatim)
	var until time.Time
	value(f, &until, "until", "TIME", "when the token should expire: Unix seconds or RFC 3339; default one second after the last request", parseMoment)
	var confined bool
	f.toggle(&confined, "confine", "print the token with the caveats added")
	asJSON := f.json("the caveats")
	var connection connectionFlags
	connection.declareCredentials(f)
	return func(ctx context.Context, p process, args []string) error {
		switch {
		case requests == "":
			return misuse("give the file of the recorded requests with --requests FILE")
		case connection.user != "" && len(args) == 0:
			return misuse("with --user, the token must be in a file: narrow --user NAME FILE")
		}
		recording, err := p.readRecording(requests)
		if err != nil {
			return err
		}
		recording.Until = until
		token, err := p.readToken(args...)
		if err != nil {
			return err
		}
		proposals, err := connection.narrow(ctx, p, token, recording)
		switch {
		case err != nil:
			return err
		case confined:
			return p.printNarrowed(token, proposals, *asJSON)
		case *asJSON:
			return p.printJSON(append([]caveat.Proposal{}, proposals...))
		}
		return write(p.out, describeProposals(proposals))
	}
}

// narrow narrows the token at the Onezone, if the flags name one, and here
// otherwise. Only an Onezone can have a geo database.
func (c *connectionFlags) narrow(ctx context.Context, p process, token macaroon.Token, r caveat.Recording) (proposals []caveat.Proposal, err error) {
	if c.onezone == "" {
		return token.Narrow(ctx, nil, r)
	}
	err = c.with(p, func(account *remote.Account) error {
		proposals, err = account.Narrow(ctx, token, r)
		return err
	})
	return proposals, err
}

// members are the members of a recorded request: see [caveat.Attempt].
var members = []string{
	"time", "peerIp", "interface", "service", "consumer", "sessionId", "proveIdentity", "operation", "resource", "api", "access",
	"allowDataAccessCaveats", "path", "objectIds",
}

// readRecording reads the recorded requests of a file. Empty lines are skipped.
// It warns about members that are ignored, because a misspelled one would make
// the caveats wider.
func (p process) readRecording(name string) (r caveat.Recording, err error) {
	text, err := readFile(name, maxRequests)
	switch {
	case err != nil:
		return r, fmt.Errorf("reading the recorded requests: %w", err)
	case len(text) > maxRequests:
		return r, misuse(fmt.Sprintf("the file of the recorded requests is larger than %d bytes", maxRequests))
	}
	n, ignored := 0, false
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		var a caveat.Attempt
		if err := a.UnmarshalJSON([]byte(line)); err != nil {
			return r, misuse(fmt.Sprintf("line %d of the recorded requests: %s", n, errors.From(err).Description))
		}
		r.Attempts = append(r.Attempts, a)
		ignored = ignored || hasOthers(line)
	}
	if ignored {
		p.warn("some members of the recorded requests are ignored; narrow knows " + list(members, "and"))
	}
	if len(r.Attempts) == 0 {
		return r, misuse("the file of the recorded requests has none: it must have a JSON object on each line")
	}
	return r, nil
}

// hasOthers reports whether a JSON object has a member that no request has.
func hasOthers(object string) bool {
	var all map[string]json.RawMessage
	_ = json.Unmarshal([]byte(object), &all) // it was read before
	for name := range all {
		if !slices.Contains(members, name) {
			return true
		}
	}
	return false
}

// printNarrowed prints the token with the proposed caveats.
func (p process) printNarrowed(token macaroon.Token, proposals []caveat.Proposal, asJSON bool) error {
	for _, proposal := range proposals {
		var err error
		if token, err = token.Confine(proposal.Caveat); err != nil {
			return err
		}
	}
	return p.printToken(token, asJSON)
}

// describeProposals formats proposals, with one property per line.
func describeProposals(proposals []caveat.Proposal) string {
	if len(proposals) == 0 {
		return "nothing to add: the requests have nothing else in common\n"
	}
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "%-12s %s\n", name, printable.Quote(text)) }
	for _, p := range proposals {
		line("caveat", p.Caveat.String())
		line("  because", p.Reason)
		line("  refuses", p.Refuses)
	}
	return b.String()
}
