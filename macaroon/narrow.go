package macaroon

import (
	"context"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// Narrow returns the tightest caveats to add to a token, so that it still lets
// all recorded attempts through: see [caveat.Narrow]. Only the type, caveats and
// vocabulary of the Spec are used. Caveats that add nothing to those of the
// Spec are not proposed.
//
// Errors:
//   - those of [caveat.Narrow];
//   - badValueCaveat {caveat} for a caveat that a new token may not carry;
//   - tokenCaveatUnverified or tokenCaveatUnknown if a caveat of the Spec refuses
//     a recorded attempt, because no caveat makes a token accept more;
//   - limitReached for a recording that is too long for the number of caveats.
func Narrow(ctx context.Context, s Spec, r caveat.Recording) ([]caveat.Proposal, error) {
	texts, err := confiner{vocabulary: s.Vocabulary}.appendTexts(nil, s.Caveats)
	if err != nil {
		return nil, err
	}
	return narrow(ctx, s.Type, s.Vocabulary.ParseList(texts), r)
}

// Narrow is the function [Narrow] for a token, whose caveats are parsed in the
// vocabulary; nil is the Onezone language. The token is not verified.
func (t Token) Narrow(ctx context.Context, v *caveat.Vocabulary, r caveat.Recording) ([]caveat.Proposal, error) {
	return narrow(ctx, t.Type(), v.ParseList(t.Caveats()), r)
}

// Limits on the decisions of the token's own caveats in one call of Narrow.
const (
	maxNarrowDecisions = 1 << 15 // of caveats
	maxNarrowEntries   = 1 << 20 // of entries of their lists
)

// Narrow is [Token.Narrow] with the groups, geo database and vocabulary of the
// authority for attempts that leave them out.
func (a *Authority) Narrow(ctx context.Context, t Token, r caveat.Recording) ([]caveat.Proposal, error) {
	r.Attempts = slices.Clone(r.Attempts)
	groups := &boundedGroups{a.groups, maxGroups} // for all attempts together
	for i := range r.Attempts {
		req := &r.Attempts[i].Request
		now, service := req.Now, req.Service
		if req.Groups == nil && a.groups != nil {
			req.Groups = groups
		}
		a.setDefaults(req)
		req.Now, req.Service = now, service // unknown, if the record does not tell
	}
	return t.Narrow(ctx, a.Vocabulary(), r)
}

func narrow(ctx context.Context, typ Type, has caveat.List, r caveat.Recording) ([]caveat.Proposal, error) {
	if limit := narrowLimit(has); len(r.Attempts) > limit {
		return nil, errors.LimitReached(limit, "requests in a recording, for a token with so many caveats")
	}
	proposals, err := caveat.Narrow(ctx, typ.use(false), r)
	if err != nil {
		return nil, err
	}
	for _, a := range r.Attempts {
		if err := contradiction(ctx, typ, has, a); err != nil {
			return nil, err
		}
	}
	texts := has.Texts()
	validUntil, expires := has.Expiry()
	return slices.DeleteFunc(proposals, func(p caveat.Proposal) bool {
		text, err := has.Vocabulary().Text(p.Caveat)
		until, isTime := p.Caveat.(caveat.Time)
		return err != nil || !wire.Fits("cid", text) || slices.Contains(texts, text) || isTime && expires && validUntil <= until.ValidUntil
	}), nil
}

// narrowLimit returns the limit on attempts for a token with the caveats.
func narrowLimit(has caveat.List) int {
	entries := 1
	for _, text := range has.Texts() {
		entries += 1 + strings.Count(text, "|")
	}
	return min(maxNarrowDecisions/max(has.Len(), 1), maxNarrowEntries/entries)
}

// contradiction returns the error of a caveat that refuses the attempt, rather
// than one that lacks data to tell.
func contradiction(ctx context.Context, typ Type, has caveat.List, a caveat.Attempt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	use := typ.use(a.ProveIdentity)
	if _, err := has.Check(ctx, use, &a.Request); err == nil && has.CheckAttempt(a) == nil {
		return nil
	}
	findings, err := has.Explain(ctx, use, a, 0)
	if err != nil {
		return err
	}
	for _, f := range findings {
		switch {
		case f.Verdict == caveat.DoesNotHold && f.Checked: // refused for the operation or file
			return caveat.Unverified(f.Caveat)
		case f.Verdict == caveat.DoesNotHold:
			return f.Err
		}
	}
	return nil
}
