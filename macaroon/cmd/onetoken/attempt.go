package main

import (
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// attemptFlags describe the use of a token, with what the client then does.
type attemptFlags struct {
	requestFlags
	do    caveat.Attempt // its operation
	read  string
	write string
}

func (a *attemptFlags) declare(f *flags) {
	a.requestFlags.declare(f)
	value(f, &a.do, "operation", "SERVICE/OPERATION/GRI", "what the client does, such as ozw/get/space.s1.instance:private", parseOperation)
	value(f, &a.read, "read", "PATH", "the file that the client reads, such as /space/file", parsePath)
	value(f, &a.write, "write", "PATH", "the file that the client changes, such as /space/file", parsePath)
}

// attempt returns the use of the token. A file is accessed at a service that
// enforces data caveats.
func (a *attemptFlags) attempt() caveat.Attempt {
	attempt := a.do
	attempt.Request = a.request()
	switch {
	case a.write != "":
		attempt.Access, attempt.File.Path, attempt.DataAccess = caveat.Write, a.write, true
	case a.read != "":
		attempt.Access, attempt.File.Path, attempt.DataAccess = caveat.Read, a.read, true
	}
	return attempt
}

// parseOperation reads a match spec without wildcards.
func parseOperation(text string) (a caveat.Attempt, err error) {
	service, rest, _ := strings.Cut(text, "/")
	operation, resource, _ := strings.Cut(rest, "/")
	var errs [3]error
	a.API, errs[0] = caveat.ParseServiceType(service)
	a.Operation, errs[1] = caveat.ParseOperation(operation)
	a.Resource, errs[2] = caveat.ParseGRI(resource)
	return a, errors.Join(errs[:]...)
}

func parsePath(text string) (string, error) {
	a := caveat.Attempt{Access: caveat.Read, File: caveat.File{Path: text}}
	if text == "" || a.Validate() != nil {
		return "", errBadValue
	}
	return text, nil
}
