package caveat

import (
	"slices"

	"github.com/onezone-go/onezone/errors"
)

// onezoneReads lists what both panels may read in Onezone.
var onezoneReads = []string{"ozw/get/user.*.*:*", "ozw/get/cluster.*.*:*", "ozw/get/provider.*.*:*"}

// serviceAPI lists the operations allowed to a token that is limited to a
// service of the type.
var serviceAPI = map[ServiceType]API{
	OzWorker: specs("ozw/all/*.*.*:*"),
	OzPanel:  specs(append([]string{"ozp/all/*.*.*:*"}, onezoneReads...)...),
	OpPanel:  specs(append([]string{"opp/all/*.*.*:*"}, onezoneReads...)...),
	OpWorker: specs(
		"opw/all/*.*.*:*",
		"ozw/get/user.*.*:*",
		"ozw/create/user.*.idp_access_token,*:*",
		"ozw/get/group.*.*:*",
		"ozw/get/space.*.*:*",
		"ozw/create/space.*.infer_accessible_eff_groups:*",
		"ozw/all/share.*.*:*",
		"ozw/get/provider.*.*:*",
		"ozw/all/handle.*.*:*",
		"ozw/get/handleService.*.*:*",
		"ozw/get/atm_inventory.*.*:*",
		"ozw/get/atm_lambda.*.*:*",
		"ozw/get/atm_workflow_schema.*.*:*",
	),
}

// dataAPI lists the operations allowed, in any space, to a token that is
// limited to data access. The panels allow none.
var dataAPI = map[ServiceType]API{
	OpWorker: specs("opw/all/file.*.*:*", "opw/get/op_space.null.list:private"),
	OzWorker: specs("ozw/get/user.*.instance:*", "ozw/get/share.*.instance:*"),
}

// spaceGRI is the resource of a space at a worker. A token that is limited to
// data access may read it for its spaces.
var spaceGRI = map[ServiceType]GRI{
	OpWorker: {Type: "op_space", Aspect: "instance", Scope: scopePrivate},
	OzWorker: {Type: "space", Aspect: "instance", Scope: wildcard},
}

// specs parses the match specs of the tables above, which are constants.
func specs(texts ...string) API {
	api := make(API, len(texts))
	for i, text := range texts {
		m, err := ParseMatchSpec(text)
		if err != nil {
			panic("caveat: bad match spec in a table: " + text)
		}
		api[i] = m
	}
	return api
}

// Authorize reports whether the caveats allow an operation; see [List.Authorize].
func Authorize(cs []Caveat, service ServiceType, operation Operation, gri GRI) error {
	return newList(cs).Authorize(service, operation, gri)
}

// Authorize reports whether the caveats of a verified token allow the operation
// on the resource at the service. It enforces what [Check] does not: api
// caveats, then the API that belongs to service caveats, then the API that data
// access caveats leave.
//
// The error is unauthorized {authError: tokenCaveatUnverified} with the first
// caveat that does not allow the operation (tokenCaveatUnknown for an
// [Unknown], which no verified token has), or badGRI for a GRI that [ParseGRI]
// would reject.
func (l List) Authorize(service ServiceType, operation Operation, gri GRI) error {
	if !gri.isRegular() {
		return errors.BadGRI()
	}
	for i, c := range l.get().caveats {
		switch c := c.(type) {
		case API:
			if !c.matches(service, operation, gri) {
				return l.forbidden(i)
			}
		case Unknown:
			return unknown(c)
		}
	}
	for i, c := range l.get().caveats {
		if services, ok := c.(Services); ok && !services.allowAPI(service, operation, gri) {
			return l.forbidden(i)
		}
	}
	for i, c := range l.get().caveats {
		if spaces, ok := dataSpaces(c); ok && !dataAccessAllows(spaces, service, operation, gri) {
			return l.forbidden(i)
		}
	}
	return nil
}

func unknown(u Unknown) error { return errors.Unauthorized(errors.TokenCaveatUnknown(string(u))) }

func (c Services) allowAPI(service ServiceType, operation Operation, gri GRI) bool {
	return slices.ContainsFunc(c, func(s Service) bool {
		return serviceAPI[s.Type].matches(service, operation, gri)
	})
}

func dataAccessAllows(spaces []string, service ServiceType, operation Operation, gri GRI) bool {
	if dataAPI[service].matches(service, operation, gri) {
		return true
	}
	pattern, ok := spaceGRI[service]
	return ok && operation == Get && slices.ContainsFunc(spaces, func(space string) bool {
		pattern.ID = space
		return pattern.matches(gri)
	})
}

// dataSpaces returns the spaces that a data access caveat allows, ["*"] for
// all; ok is false for all other caveats.
func dataSpaces(c Caveat) (spaces []string, ok bool) {
	switch c := c.(type) {
	case DataReadonly:
		return []string{wildcard}, true
	case Interface:
		return []string{wildcard}, c == Oneclient
	case DataPath:
		return c.spaces(), true
	case DataObjectID:
		return c.spaces(), true
	}
	return nil, false
}
