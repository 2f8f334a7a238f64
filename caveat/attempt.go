package caveat

import (
	"cmp"
	"context"

	"github.com/onezone-go/onezone/errors"
)

// Attempt is one use of a token: the request that presents it, and what the
// client then does. [List.Explain] tries one, and [Narrow] takes a record of
// them.
type Attempt struct {
	Request

	// Operation is what the client does through the API; zero: not decided.
	Operation Operation
	// Resource is what Operation is about.
	Resource GRI
	// API is the service whose API Operation belongs to; zero: the type of
	// Service, or Onezone's worker if that is unknown.
	API ServiceType

	// Access is how the client uses File; zero: not decided. Set DataAccess,
	// too, because only services that enforce data caveats serve files.
	Access Access
	// File is the file that the client requests. Its ObjectIDs begin with that
	// of the file itself.
	File File
}

// Validate returns an error if no client can make the attempt: badGRI, badData
// {key "operation"} or {key "access"}, badValueFilePath.
func (a Attempt) Validate() error {
	if a.Operation > Delete {
		return errors.BadDataHint("operation", "expected Create, Get, Update or Delete")
	}
	return List{}.CheckAttempt(a)
}

// CheckAttempt decides what the client does with a token that has been
// verified: the operation and the access to the file that the attempt has. The
// errors are those of [List.Authorize] and [List.CheckFile].
func (l List) CheckAttempt(a Attempt) error { return cmp.Or(a.authorize(l), a.checkFile(l)) }

// decide returns the error of the first stage that refuses the attempt: the
// verification of the token, the operation, the access to the file.
func (a *Attempt) decide(ctx context.Context, use Use, l List) error {
	if _, err := l.Check(ctx, use, &a.Request); err != nil {
		return err
	}
	return l.CheckAttempt(*a)
}

// authorize decides the operation of the attempt, if there is one.
func (a *Attempt) authorize(l List) error {
	if a.Operation == 0 {
		return nil
	}
	return l.Authorize(a.api(), a.Operation, a.Resource)
}

// checkFile decides the access to the file of the attempt, if there is one.
func (a *Attempt) checkFile(l List) error {
	if a.Access == 0 {
		return nil
	}
	return l.CheckFile(a.File, a.Access)
}

// api returns the service whose API the operation belongs to.
func (a *Attempt) api() ServiceType { return cmp.Or(a.API, a.Service.Type, OzWorker) }

// use returns the use of a token in the attempt. usual is the use of a token of
// its type; an access token may also prove an identity.
func (a *Attempt) use(usual Use) Use {
	if usual == UseAccess && a.ProveIdentity {
		return UseAccessAsIdentity
	}
	return usual
}

// operation returns SERVICE/OPERATION/GRI, the match spec of the operation.
func (a *Attempt) operation() MatchSpec { return MatchSpec{a.api(), a.Operation, a.Resource} }
