package errors

import (
	"slices"
	"sync"
)

// The HTTP status codes in use. They are spelled out because net/http would be a heavy import for a package that
// everything else imports.
const (
	statusBadRequest     = 400
	statusUnauthorized   = 401
	statusForbidden      = 403
	statusNotFound       = 404
	statusConflict       = 409
	statusInternal       = 500
	statusNotImplemented = 501
	statusUnavailable    = 503

	statusOfNested = -1 // the status of the nested error
)

// details are the details of an error, in the shape that [Error.Details] documents.
type details = map[string]any

// entry is what the catalogue knows of an error.
type entry struct {
	id     ID
	status int
	fields []field
	// says holds the description in several variants, richest first: the first whose needs are met is used.
	says []sentence
}

// sentence is a template of a description. In text, {a.b} stands for member b of the detail a, quoted where it is
// a string and as its description where it is an error; {text:a} stands for the same without quotes. A sentence applies when every value that it mentions, and
// the one at the path needs (if any), is there and not null.
type sentence struct {
	needs string
	text  string
}

// simply makes a description that has a single variant.
func simply(text string) []sentence { return []sentence{{text: text}} }

// because makes a description that ends with that of the error nested under the key, where there is one.
func because(text, key string) []sentence {
	return []sentence{{text: text + ": {" + key + "}."}, {text: text + "."}}
}

// catalogue holds every entry. It is built on first use and not changed afterwards: as the value of a variable it
// would be an initialization cycle, because reading nested errors takes looking them up.
var catalogue struct {
	once    sync.Once
	entries map[ID]entry
}

// lookup finds the entry of an id.
func lookup(id ID) (entry, bool) {
	catalogue.once.Do(func() {
		catalogue.entries = make(map[ID]entry)
		for _, e := range allErrors() {
			catalogue.entries[e.id] = e
		}
	})
	e, ok := catalogue.entries[id]
	return e, ok
}

// allErrors lists the entries of all families.
func allErrors() []entry {
	return slices.Concat(
		generalErrors(), authErrors(), tokenErrors(), dataErrors(), contentErrors(), graphSyncErrors(),
		entityErrors(), oneproviderErrors(), automationErrors(), onepanelErrors(),
	)
}
