package errors

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

// onezoneErrors and forwardedErrors are the catalogue. The first explains the
// form.
var (
	//go:embed catalogue.txt
	onezoneErrors string
	//go:embed forwarded.txt
	forwardedErrors string
)

// statusInternal is repeated here because net/http is a heavy import for a
// package that all others import.
const statusInternal = 500

// details are the details of an error, as [Error.Details] documents them.
type details = map[string]any

// entry is the row of one error in the catalogue.
type entry struct {
	id     ID
	status int // 0: that of the nested error
	fields []field
	// variants are the forms of the description, the most detailed first. The
	// first that applies is used.
	variants []sentence
}

// sentence is a template of a description. It applies if all values that it
// mentions, and the one at the path needs (if any), are present and not null.
type sentence struct {
	needs string
	text  string
}

// catalogue holds all entries. It is parsed on first use and not changed
// afterwards.
var catalogue struct {
	once    sync.Once
	entries map[ID]entry
}

// lookup finds the entry of an id.
func lookup(id ID) (entry, bool) {
	catalogue.once.Do(func() {
		catalogue.entries = make(map[ID]entry)
		for _, e := range parseEntries(onezoneErrors + forwardedErrors) {
			catalogue.entries[e.id] = e
		}
	})
	e, ok := catalogue.entries[id]
	return e, ok
}

// parseEntries parses a part of the catalogue, which the tests check.
func parseEntries(text string) []entry {
	var all []entry
	var last *entry
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "\t\t"): // continues the sentence
			last.variants[len(last.variants)-1].text += " " + line[2:]
		case line[0] == '\t':
			s := sentence{text: line[1:]}
			if needs, ok := strings.CutPrefix(s.text, "["); ok {
				s.needs, s.text, _ = strings.Cut(needs, "] ")
			}
			last.variants = append(last.variants, s)
		default:
			words := strings.Fields(line)
			status, _ := strconv.Atoi(words[1])
			all = append(all, entry{id: ID(words[0]), status: status})
			last = &all[len(all)-1]
			for _, word := range words[2:] {
				last.fields = append(last.fields, parseField(word))
			}
		}
	}
	return all
}
