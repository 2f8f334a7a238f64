package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
	"github.com/onezone-go/onezone/macaroon"
)

// explain answers with what a verification of a token decides, and why.
func (c *call) explain() error {
	in := c.input()
	t, err := c.manageable(in)
	if err != nil {
		return err
	}
	trial := macaroon.Trial{Attempt: c.tried(in, "request")}
	trial.Class = in.class("purpose")
	trial.Invite = in.inviteType("expectedInviteType")
	trial.ServiceToken = in.partyToken("serviceToken")
	trial.ConsumerToken = in.partyToken("consumerToken")
	trial.Horizon = in.days("days")
	if in.err != nil {
		return in.err
	}
	if trial.ConsumerToken == "" {
		c.hideGroups(&trial.Request)
	}
	e, err := c.authority.Explain(c.r.Context(), t.text, trial)
	if err != nil {
		return err
	}
	// A token of version 1 names its subject only in its record.
	if t.Version() == 1 && !e.Subject.IsZero() {
		if err := c.decide(managesOwner, target{owner: e.Subject}, errForbidden); err != nil {
			return err
		}
	}
	if errors.Is(e.Err, errors.IDTokenRevoked) && c.isConfined() {
		// It may be a canary. A thief must not find out unnoticed which of
		// several tokens are good.
		c.use(t)
	}
	respond(c.w, http.StatusOK, e)
	return nil
}

// use uses the token for what its type is for, only to report that.
func (c *call) use(t tokenValue) {
	ctx, req := c.r.Context(), c.anySession()
	switch t.Type().Class() {
	case macaroon.Identity:
		_, _ = c.authority.VerifyIdentity(ctx, t.text, req)
	case macaroon.Invite:
		_, _ = c.authority.VerifyInvite(ctx, t.text, 0, req)
	default:
		_, _ = c.authority.VerifyAccess(ctx, t.text, req)
	}
}

// tried reads the use of a token that is tried. As in a verification, the client
// consumes the token from its own address unless the body says otherwise.
func (c *call) tried(in *input, key string) caveat.Attempt {
	a := caveat.Attempt{Request: c.anySession()}
	a.IP = c.client.PeerIP
	if in.err != nil || !in.has(key) {
		return a
	}
	read := in.attempt(key, in.body.Get(key))
	if members, err := strictjson.Parse(in.body.Get(key)); err == nil {
		if members["peerIp"] == nil {
			read.IP = a.IP
		}
		if members["consumer"] == nil {
			read.Consumer = a.Consumer
		}
	}
	return read
}

// hideGroups hides the groups of a consumer other than the client, which
// has not proved to be that consumer. The client could otherwise find out the groups of
// everybody.
func (c *call) hideGroups(req *caveat.Request) {
	if req.Consumer != c.client.Subject {
		req.Groups = hiddenGroups{}
	}
}

// hiddenGroups is a GroupChecker that knows nothing.
type hiddenGroups struct{}

func (hiddenGroups) IsMember(context.Context, caveat.Subject, string) (bool, error) {
	return false, errors.New("the consumer has not proved itself, so its groups are not looked up")
}

// manageable reads the token of a body, and refuses clients that may not manage
// the tokens of the subject that it names. The signature is not verified, so
// nothing depends on whether the token exists.
func (c *call) manageable(in *input) (tokenValue, error) {
	t := in.token("token")
	if in.err != nil || t.Version() == 1 {
		return t, in.err
	}
	return t, c.decide(managesOwner, target{owner: t.Subject()}, errForbidden)
}

// maxRecorded is the limit on requests in the body of narrow.
const maxRecorded = 1000

// narrow answers with the tightest caveats that let recorded requests through.
func (c *call) narrow() error {
	in := c.input()
	t, err := c.manageable(in)
	if err != nil {
		return err
	}
	in.require("requests")
	var r caveat.Recording
	r.Attempts = in.attempts("requests")
	r.Until = in.moment("validUntil")
	if in.err != nil {
		return in.err
	}
	for i := range r.Attempts {
		c.hideGroups(&r.Attempts[i].Request)
	}
	proposals, err := c.authority.Narrow(c.r.Context(), t.Token, r)
	if err != nil {
		return err
	}
	respond(c.w, http.StatusOK, map[string]any{"caveats": append([]caveat.Proposal{}, proposals...)})
	return nil
}

// attempt reads the use of a token. Errors: badData {key}, and those of
// [caveat.Attempt.UnmarshalJSON].
func (in *input) attempt(key string, raw json.RawMessage) (a caveat.Attempt) {
	switch {
	case in.err != nil:
	case len(raw) == 0 || raw[0] != '{':
		in.err = errors.BadData(key)
	default:
		in.err = a.UnmarshalJSON(raw)
	}
	return a
}

// attempts reads a list of uses of a token. Errors: badData, limitReached, and
// those of [caveat.Attempt.UnmarshalJSON].
func (in *input) attempts(key string) []caveat.Attempt {
	if in.err != nil {
		return nil
	}
	raw, ok := strictjson.Elements(in.body.Get(key), maxRecorded)
	switch {
	case !ok:
		in.err = errors.BadData(key)
	case len(raw) > maxRecorded:
		in.err = errors.LimitReached(maxRecorded, "requests in a recording")
	}
	var list []caveat.Attempt
	for _, item := range raw {
		if in.err != nil {
			return nil
		}
		list = append(list, in.attempt(key, item))
	}
	return list
}

// class reads what a token is used for, zero if it is missing. The error is
// badValueNotAllowed.
func (in *input) class(key string) macaroon.Class {
	return optional(in, key, func(raw json.RawMessage) (macaroon.Class, error) {
		s, _ := strictjson.Text(raw)
		for class := macaroon.Access; class <= macaroon.Invite; class++ {
			if s == class.String() {
				return class, nil
			}
		}
		return 0, errors.BadValueNotAllowed(key, macaroon.Access.String(), macaroon.Identity.String(), macaroon.Invite.String())
	})
}

// maxDays is how far ahead an explanation may look.
const maxDays = 366

// days reads a number of days, zero if it is missing. Errors: badValueInteger,
// badValueNotInRange.
func (in *input) days(key string) time.Duration {
	return optional(in, key, func(raw json.RawMessage) (time.Duration, error) {
		n, err := integerBetween(key, raw, 1, maxDays)
		return time.Duration(n) * 24 * time.Hour, err
	})
}

// moment reads Unix seconds, the zero time if it is missing. Errors:
// badValueInteger, badValueNotInRange.
func (in *input) moment(key string) time.Time {
	return optional(in, key, func(raw json.RawMessage) (time.Time, error) {
		n, err := integerBetween(key, raw, 0, maxUnixSeconds)
		return time.Unix(n, 0), err
	})
}

// integerBetween reads an integer that is neither below low nor above high.
// Errors: badValueInteger, badValueNotInRange.
func integerBetween(key string, raw json.RawMessage, low, high int64) (n int64, err error) {
	switch {
	case json.Unmarshal(raw, &n) != nil || string(raw) == "null":
		return 0, errors.BadValueInteger(key)
	case n < low || n > high:
		return 0, errors.Make("badValueNotInRange", map[string]any{"key": key, "low": low, "high": high})
	}
	return n, nil
}
