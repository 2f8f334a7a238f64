package caveat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// all is the wildcard for services and operations in a match spec.
const all = "all"

// Operation is what a client does to a resource. The zero value is invalid.
type Operation uint8

// The operations.
const (
	Create Operation = iota + 1
	Get
	Update
	Delete

	// anyOperation is the "all" of a match spec; no client performs it.
	anyOperation
)

var operationNames = []string{Create: "create", Get: "get", Update: "update", Delete: "delete", anyOperation: all}

// String returns the name of the operation, "unknown" for zero.
func (o Operation) String() string { return nameOf(operationNames, o) }

// ParseOperation reads "create", "get", "update" or "delete". The error is
// badValueNotAllowed {key "operation"}.
func ParseOperation(name string) (Operation, error) {
	names := operationNames[:anyOperation]
	o, ok := valueOf[Operation](names, name)
	if !ok {
		return 0, errors.BadValueNotAllowed("operation", names[Create:]...)
	}
	return o, nil
}

// MatchSpec describes operations: SERVICE/OPERATION/GRI-PATTERN, for instance
// "opw/all/file.*.*:*". The zero MatchSpec matches nothing.
type MatchSpec struct {
	service   ServiceType
	operation Operation
	pattern   GRI
}

// ParseMatchSpec reads a match spec. A pattern without a scope matches the
// scope private only. The error is badGRI.
func ParseMatchSpec(text string) (MatchSpec, error) {
	service, rest, _ := strings.Cut(text, "/")
	operation, gri, _ := strings.Cut(rest, "/")
	s, okService := valueOf[ServiceType](serviceShort, service)
	o, okOperation := valueOf[Operation](operationNames, operation)
	pattern, okPattern := parsePattern(gri)
	if !okService || !okOperation || !okPattern || strings.Contains(gri, "/") {
		return MatchSpec{}, errors.BadGRI()
	}
	return MatchSpec{s, o, pattern}, nil
}

// String returns the canonical text; the scope is always written.
func (m MatchSpec) String() string {
	return m.service.Short() + "/" + m.operation.String() + "/" + m.pattern.String()
}

// Matches reports whether the spec describes the operation on the resource at
// the service. It returns false if the service or the operation is not one of
// the constants.
func (m MatchSpec) Matches(service ServiceType, operation Operation, gri GRI) bool {
	return OzWorker <= service && service <= OpPanel && (m.service == anyService || m.service == service) &&
		Create <= operation && operation <= Delete && (m.operation == anyOperation || m.operation == operation) &&
		m.pattern.matches(gri)
}

// API is the caveat "api = MATCHSPEC|...": the token may be used for the
// operations that match one of the specs. Verification accepts it; [Authorize]
// enforces it.
type API []MatchSpec

// Type returns [TypeAPI].
func (API) Type() Type { return TypeAPI }

// String returns the text "api = MATCHSPEC|...".
func (c API) String() string { return joinList("api = ", c, writeStringer) }

// MarshalJSON returns {"type":"api","whitelist":[MATCHSPEC,...]}.
func (c API) MarshalJSON() ([]byte, error) { return whitelistJSON(TypeAPI, texts(c)) }

func (API) satisfied(context.Context, Request) (bool, error) { return true, nil }

func (c API) problem() string {
	return firstProblem(c, func(m MatchSpec) string {
		if m.service == 0 || strings.ContainsFunc(m.String(), isForbiddenRune) {
			return `every match spec must be SERVICE/OPERATION/GRI without "|" and control characters`
		}
		return ""
	})
}

func (c API) demand() string {
	return "the token may be used only for the operations " + quoted(texts(c))
}

func (c API) matches(service ServiceType, operation Operation, gri GRI) bool {
	return slices.ContainsFunc(c, func(m MatchSpec) bool { return m.Matches(service, operation, gri) })
}

func (API) explain(_ context.Context, a *Attempt) Wording {
	if a.Operation == 0 {
		return Wording{Reason: "each operation is decided when the client asks for it"}
	}
	return Wording{Reason: fmt.Sprintf("the operation is %.200q", a.operation())}
}
