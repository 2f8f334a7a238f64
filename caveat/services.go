package caveat

import (
	"context"
	"fmt"
	"slices"
)

// Services is the caveat "service = SERVICE|...": the token may be used only by
// one of the services and for the API that belongs to them (see [Authorize]).
// The id "*" matches every service of the type.
type Services []Service

// Type returns [TypeService].
func (Services) Type() Type { return TypeService }

// String returns the text "service = opw-ID|...".
func (c Services) String() string { return joinList("service = ", c, writeStringer) }

// MarshalJSON returns {"type":"service","whitelist":["opw-ID",...]}.
func (c Services) MarshalJSON() ([]byte, error) { return whitelistJSON(TypeService, texts(c)) }

func (c Services) satisfied(_ context.Context, req Request) (bool, error) {
	return slices.ContainsFunc(c, func(entry Service) bool { return entry.matches(req.Service) }), nil
}

func (c Services) problem() string {
	return firstProblem(c, func(s Service) string {
		if s.Type < OzWorker || s.Type > OpPanel {
			return `every service must be "ozw-ID", "ozp-ID", "opw-ID" or "opp-ID"`
		}
		return idProblem(s.ID)
	})
}

func (c Services) demand() string {
	return "the token may be used only by the services " + quoted(texts(c)) +
		", which prove themselves with a service token, and only within their API"
}

func (Services) explain(_ context.Context, a *Attempt) Wording {
	if a.Service.IsZero() {
		return Wording{Reason: "the service that receives the token is unknown", Missing: true}
	}
	return Wording{Reason: fmt.Sprintf("the service that receives the token is %.200q", a.Service)}
}
