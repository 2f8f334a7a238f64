package grpcauth

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	// The fields of request messages by their names.
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/gripattern"
	"github.com/onezone-go/onezone/macaroon"
)

// Rules are the rules of methods, by the full name of the method:
// "/files.v1.Files/Read".
type Rules map[string]Rule

// Rule is what a method requires of its clients. The zero Rule is invalid.
type Rule struct {
	access     access
	dataAccess bool
	service    caveat.ServiceType
	operation  caveat.Operation
	gri        string
	fields     []string // in the gri
	err        error
}

// access is who may call a method.
type access uint8

const (
	anyone    access = iota + 1
	anyClient        // with a token
	permitted        // with a token whose caveats allow the operation
)

// AllowAnyone returns the rule of a method that is called with or without a
// token. A token must be valid nevertheless.
func AllowAnyone() Rule { return Rule{access: anyone} }

// RequireClient returns the rule of a method that needs a token. The handler
// must enforce the caveats of the token with [macaroon.Auth.Authorize].
func RequireClient() Rule { return Rule{access: anyClient} }

// Require returns the rule of a method that needs a token whose caveats allow
// the operation on the resource at the service. The handler must still decide
// whether the user has the rights.
//
// The resource is a GRI in which {name}, in the id or aspect, is replaced by
// the field of that name of the request message: "file.{id}.content:private".
// The field must be a string. A value that a GRI cannot hold, such as one with
// dots, matches only the wildcards of an api caveat. If the client sends a
// stream, each message is checked when the handler receives it, and the handler
// can send nothing before the first.
//
// [New] returns the error badGRI if gri is not a GRI, and badData {key} if
// service or operation is not one of the constants of package caveat.
func Require(service caveat.ServiceType, operation caveat.Operation, gri string) Rule {
	r := Rule{access: permitted, service: service, operation: operation, gri: gri}
	for _, match := range placeholder.FindAllStringSubmatch(gri, -1) {
		r.fields = append(r.fields, match[1])
	}
	_, r.err = gripattern.Expand(placeholder.ReplaceAllString(gri, "x"), func(string) string { return "" })
	switch {
	case r.err == nil && strings.ContainsAny(placeholder.ReplaceAllString(gri, ""), "{}"):
		r.err = errors.BadGRI()
	case service.Short() == "":
		r.err = errors.BadDataHint("service", "expected one of the constants of package caveat")
	case operation < caveat.Create || operation > caveat.Delete:
		r.err = errors.BadDataHint("operation", "expected one of the constants of package caveat")
	}
	return r
}

// placeholder is the name of a message field in a GRI.
var placeholder = regexp.MustCompile(`\{([a-z_A-Z][a-z_A-Z0-9]*)\}`)

// AllowDataCaveats returns the rule for a method whose handler enforces data
// caveats, with [macaroon.Auth.CheckFile]. Without it, tokens with data caveats
// are refused.
func (r Rule) AllowDataCaveats() Rule {
	r.dataAccess = true
	return r
}

// methodName is the full name of a method.
var methodName = regexp.MustCompile(`^/[^/]+/[^/]+$`)

// clone returns a copy of valid rules.
func (rules Rules) clone() (Rules, error) {
	for method, r := range rules {
		switch {
		case !methodName.MatchString(method):
			return nil, errors.BadDataHint("rules", fmt.Sprintf("%q must be the full name of a method, such as /files.v1.Files/Read", method))
		case r.err != nil:
			return nil, fmt.Errorf("the rule of %s: %w", method, r.err)
		case r.access == 0:
			return nil, errors.BadDataHint("rules", fmt.Sprintf("the rule of %s is empty; AllowAnyone allows calls without a token", method))
		}
	}
	return maps.Clone(rules), nil
}

// authorize returns an error unless the caveats of the client's token allow the
// operation on the resource that the message names.
func (r Rule) authorize(auth macaroon.Auth, message any) error {
	if r.access != permitted {
		return nil
	}
	for _, name := range r.fields {
		if _, err := field(message, name); err != nil {
			return err
		}
	}
	gri, err := gripattern.Expand(r.gri, func(name string) string {
		value, _ := field(message, name)
		return value
	})
	if err != nil {
		return err
	}
	return auth.Authorize(r.service, r.operation, gri)
}

// field returns the field of a message. The error is operational.
func field(message any, name string) (string, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return "", fmt.Errorf("a message of the type %T has no fields", message)
	}
	reflected := m.ProtoReflect()
	f := reflected.Descriptor().Fields().ByName(protoreflect.Name(name))
	if f == nil || f.Kind() != protoreflect.StringKind || f.Cardinality() == protoreflect.Repeated {
		return "", fmt.Errorf("the message %s has no string field %s", reflected.Descriptor().FullName(), name)
	}
	return reflected.Get(f).String(), nil
}
