package gate

import (
	"fmt"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/gripattern"
)

// Explain describes what the rules require of a request with the method and the
// target, a path as a client sends it. The text has one line for the rule and
// one for each value and requirement. The error is forbidden for a request that
// is refused whoever makes it.
func (r *Rules) Explain(method, target string) (string, error) {
	found, path, why := r.find(method, target)
	if found == nil {
		return "", errors.Forbidden(why)
	}
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-10s %s\n", name, value) }
	line("rule", fmt.Sprintf("%s, path %q", found.where, found.pattern.text))
	values := make(map[string]string)
	found.pattern.bind(path, func(name, value string) {
		values[name] = value
		line("{"+name+"}", fmt.Sprintf("%q", value))
	})
	value := func(name string) string { return values[name] }
	switch {
	case found.anonymous:
		line("allow", "everybody, without credentials")
		return b.String(), nil
	case found.subjects == nil:
		line("allow", "every client")
	default:
		var subjects []string
		for _, s := range found.subjects {
			subjects = append(subjects, s.String())
		}
		line("allow", strings.Join(subjects, ", "))
	}
	if found.api == nil {
		line("token", "identity")
		return b.String(), nil
	}
	service := r.service
	if service.IsZero() {
		service = caveat.Service{Type: caveat.OzWorker, ID: caveat.OnezoneID}
	}
	line("token", "access, at the service "+service.String())
	gri, err := gripattern.Expand(found.api.gri, value)
	if err != nil {
		return "", err
	}
	line("api", fmt.Sprintf("%s/%s/%s", found.api.service.Short(), found.api.operation, gri))
	switch file := found.fileOf(value).Path; {
	case found.file == "":
		line("data", "tokens with data caveats are refused")
	case found.access == caveat.Read:
		line("read", fmt.Sprintf("%q", file))
	default:
		line("write", fmt.Sprintf("%q", file))
	}
	return b.String(), nil
}
