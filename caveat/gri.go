package caveat

import (
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// GRI identifies a resource of the system: TYPE.ID.ASPECT:SCOPE, for instance
// "space.s1.user,u1:private". As a pattern, inside a [MatchSpec], each part may
// be "*".
type GRI struct {
	Type   string // one of the resource types of the system, such as "space"
	ID     string // "null": no id; "self": the literal word
	Aspect string // a word, or two joined by a comma
	Scope  string // private, protected, shared, public or auto
}

// scopePrivate is the scope of a GRI that does not name one.
const scopePrivate = "private"

// ParseGRI reads a regular GRI, which holds no wildcard. A missing scope means
// private. The error is badGRI.
func ParseGRI(text string) (GRI, error) {
	g, ok := parsePattern(text)
	if !ok || !g.isRegular() {
		return GRI{}, errors.BadGRI()
	}
	return g, nil
}

// parsePattern reads a GRI in which any part may be a wildcard.
func parsePattern(text string) (g GRI, ok bool) {
	typ, rest, _ := strings.Cut(text, ".")
	id, rest, found := strings.Cut(rest, ".")
	aspect, scope, scoped := strings.Cut(rest, ":")
	if !scoped {
		scope = scopePrivate
	}
	g = GRI{typ, id, aspect, scope}
	return g, found && g.isPattern()
}

// isPattern reports whether the parts form a GRI, possibly with wildcards.
func (g GRI) isPattern() bool {
	return (g.Type == wildcard || isResourceType(g.Type)) &&
		!strings.Contains(g.ID, ".") &&
		!strings.ContainsAny(g.Aspect, ".:") && strings.Count(g.Aspect, ",") <= 1 &&
		(g.Scope == wildcard || isScope(g.Scope))
}

// isRegular reports whether the parts form a GRI without wildcards.
func (g GRI) isRegular() bool {
	word, second, _ := strings.Cut(g.Aspect, ",")
	return g.isPattern() && !slices.Contains([]string{g.Type, g.ID, g.Scope, word, second}, wildcard)
}

// String returns TYPE.ID.ASPECT:SCOPE; the scope is always written.
func (g GRI) String() string { return g.Type + "." + g.ID + "." + g.Aspect + ":" + g.Scope }

// matches reports whether the pattern g matches the regular GRI r.
func (g GRI) matches(r GRI) bool {
	return same(g.Type, r.Type) && same(g.ID, r.ID) && same(g.Scope, r.Scope) && sameAspect(g.Aspect, r.Aspect)
}

func same(pattern, actual string) bool { return pattern == wildcard || pattern == actual }

// sameAspect reports whether the pattern matches the aspect. Only the pattern
// "*" matches both simple and compound aspects.
func sameAspect(pattern, actual string) bool {
	if pattern == wildcard {
		return true
	}
	word, second, compound := strings.Cut(pattern, ",")
	if !compound {
		return pattern == actual
	}
	actualWord, actualSecond, actualCompound := strings.Cut(actual, ",")
	return actualCompound && same(word, actualWord) && same(second, actualSecond)
}

func isScope(s string) bool {
	return slices.Contains([]string{scopePrivate, "protected", "shared", "public", "auto"}, s)
}

func isResourceType(s string) bool {
	switch s {
	case "oz_worker", "user", "group", "space", "share", "provider", "handleService", "handle",
		"cluster", "harvester", "storage", "token", "space_stats", "temporary_token_secret",
		"atm_inventory", "atm_lambda", "atm_workflow_schema",
		"onp_cluster", "onp_host", "onp_panel", "onp_provider", "onp_service", "onp_space",
		"onp_storage", "onp_user", "onp_zone",
		"op_archive", "op_atm_inventory", "op_atm_lambda_snapshot", "op_atm_store",
		"op_atm_task_execution", "op_atm_workflow_execution", "op_atm_workflow_schema",
		"op_atm_workflow_schema_snapshot", "op_dataset", "file", "op_group", "op_handle",
		"op_handle_service", "op_metrics", "op_provider", "op_qos", "op_share", "op_space",
		"op_storage", "op_transfer", "op_user":
		return true
	}
	return false
}
