package main

import (
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
)

// template is a set of caveats for one purpose. Onezone's web interface has
// templates of the same names.
type template struct {
	name    string
	ttl     time.Duration // unless another lifetime is given
	caveats []caveat.Caveat
}

const (
	week         = 7 * 24 * time.Hour
	pathTemplate = "path"
)

// templateNames is what --template takes.
const templateNames = "rest, oneprovider-rest, oneclient, readonly, identity or path=/SPACE/DIRECTORY"

var (
	atOnezone      = caveat.Services{{Type: caveat.OzWorker, ID: caveat.OnezoneID}}
	atOneproviders = caveat.Services{{Type: caveat.OpWorker, ID: "*"}}

	templates = []template{
		{"rest", week, []caveat.Caveat{caveat.REST, atOnezone}},
		{"oneprovider-rest", week, []caveat.Caveat{caveat.REST, atOneproviders}},
		{"oneclient", week, []caveat.Caveat{caveat.Oneclient, atOneproviders}},
		{"readonly", week, []caveat.Caveat{caveat.DataReadonly{}}},
		{"identity", time.Hour, []caveat.Caveat{caveat.IdentityOnly{}}},
	}
)

// parseTemplate returns the template with the name.
func parseTemplate(text string) (template, error) {
	for _, t := range templates {
		if t.name == text {
			return t, nil
		}
	}
	name, path, _ := strings.Cut(text, "=")
	confined := caveat.DataPath{path}
	if name != pathTemplate || caveat.Validate(confined) != nil {
		return template{}, errBadValue
	}
	return template{pathTemplate, week, []caveat.Caveat{confined}}, nil
}
