package errors

import (
	"slices"
	"strings"
	"sync"
)

// The HTTP status codes in use. They are repeated here because net/http is a
// heavy import for a package that all others import.
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

// details are the details of an error, as [Error.Details] documents them.
type details = map[string]any

// entry is the description of one error in the catalogue.
type entry struct {
	id     ID
	status int
	fields []field
	// variants are the forms of the description, the most detailed first. The
	// first that applies is used.
	variants []sentence
}

// sentence is a template of a description. In text, {a.b} is the member b of
// the detail a: a string is quoted, and an error is replaced by its
// description. {text:a} is the same without quotes. A sentence applies if all
// values that it mentions, and the one at the path needs (if any), are present
// and not null.
type sentence struct {
	needs string
	text  string
}

// described returns a description with one variant.
func described(text string) []sentence { return []sentence{{text: text}} }

// because returns a description that ends with that of the error nested under
// the key, if there is one.
func because(text, key string) []sentence {
	return []sentence{{text: text + ": {" + key + "}."}, {text: text + "."}}
}

// forwarded returns the entry of an error that this module does not return but
// can read and forward. Its details are the values that the most detailed
// variant mentions, in any JSON form. A nested error ends the description, which
// is complete without it. The status is 400.
func forwarded(id ID, variants ...string) entry {
	e := entry{id: id, status: statusBadRequest}
	for part := range strings.SplitSeq(variants[0], "{") {
		path, _, mentioned := strings.Cut(part, "}")
		switch key := strings.TrimPrefix(path, "text:"); {
		case !mentioned:
		case key == "specificError" || key == "error":
			e.fields = append(e.fields, nested(key))
			variants = append(variants, strings.TrimSuffix(variants[0], ": {"+key+"}.")+".")
		default:
			e.fields = append(e.fields, anyJSON(key))
		}
	}
	for _, text := range variants {
		e.variants = append(e.variants, sentence{text: text})
	}
	return e
}

// as returns the entry with another status.
func (e entry) as(status int) entry {
	e.status = status
	return e
}

// catalogue holds all entries. It is built on first use and not changed
// afterwards. An initialized variable would be an initialization cycle, because
// reading a nested error looks up its entry.
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
