package caveat

import (
	"context"
	"fmt"
	"slices"

	"github.com/onezone-go/onezone/internal/operational"
)

// Consumers is the caveat "consumer = SUBJECT|...": the token may be used by
// one of the parties. A user or Oneprovider with the id "*" matches all users
// or all Oneproviders. A group matches its members, as reported by the
// [GroupChecker] of the request; the group "*" matches the members of any
// group.
type Consumers []Subject

// Type returns [TypeConsumer].
func (Consumers) Type() Type { return TypeConsumer }

// String returns the text "consumer = usr-ID|...".
func (c Consumers) String() string { return joinList("consumer = ", c, writeStringer) }

// MarshalJSON returns {"type":"consumer","whitelist":["usr-ID",...]}.
func (c Consumers) MarshalJSON() ([]byte, error) { return whitelistJSON(TypeConsumer, texts(c)) }

func (c Consumers) satisfied(ctx context.Context, req Request) (bool, error) {
	if req.Consumer.IsZero() {
		return false, nil
	}
	if c.names(req.Consumer) {
		return true, nil
	}
	if req.Groups == nil {
		return false, nil
	}
	for _, entry := range c {
		if entry.Type != SubjectGroup {
			continue
		}
		member, err := req.Groups.IsMember(ctx, req.Consumer, entry.ID)
		if err != nil {
			return false, operational.Error("asking for the members of a group", err)
		}
		if member {
			return true, nil
		}
	}
	return false, nil
}

// names reports whether an entry other than a group matches the consumer.
func (c Consumers) names(consumer Subject) bool {
	return slices.ContainsFunc(c, func(entry Subject) bool {
		return entry.Type == consumer.Type && entry.Type != SubjectGroup && (entry.ID == wildcard || entry.ID == consumer.ID)
	})
}

func (c Consumers) problem() string {
	return firstProblem(c, func(s Subject) string {
		if s.Type < SubjectUser || s.Type > SubjectGroup {
			return `every consumer must be "usr-ID", "prv-ID" or "grp-ID"`
		}
		return idProblem(s.ID)
	})
}

func (c Consumers) demand() string {
	return "the token may be used only by " + quoted(texts(c)) +
		"; the consumer proves itself with its access token for an invitation, and with a consumer token elsewhere"
}

func (c Consumers) explain(_ context.Context, a *Attempt) Wording {
	if a.Consumer.IsZero() {
		return Wording{Reason: "the consumer of the token is unknown", Missing: true}
	}
	words := Wording{Reason: fmt.Sprintf("the consumer of the token is %.200q", a.Consumer)}
	isGroup := func(entry Subject) bool { return entry.Type == SubjectGroup }
	if a.Groups == nil && !c.names(a.Consumer) && slices.ContainsFunc(c, isGroup) {
		words.Reason, words.Missing = words.Reason+", and the verifier does not know the members of groups", true
	}
	return words
}
