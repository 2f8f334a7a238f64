package caveat

import (
	"context"
	"slices"
	"strings"
)

// The functions of this file derive caveats about the operations and files of a
// recording.

// maxOperations is the limit on the match specs that Narrow derives.
const maxOperations = 64

func narrowAPI(_ context.Context, r Recording) (Proposal, bool) {
	list, ok := distinct(r, maxOperations, func(a Attempt) (MatchSpec, bool) {
		m := a.operation()
		back, err := ParseMatchSpec(m.String())
		return m, a.Operation != 0 && err == nil && back == m
	})
	p := Proposal{
		Caveat: API(list), Reason: "the clients asked for these operations only", Refuses: "all other operations",
	}
	for o := Create; ok && o <= Delete; o++ {
		p.Mutations = append(p.Mutations, r.mutate("to "+o.String()+" the resource", func(a *Attempt) { a.Operation = o }))
	}
	return p, ok
}

// filesOnly reports whether every attempt accesses a file, with a service that
// enforces data caveats.
func (r Recording) filesOnly() bool {
	return !slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return a.Access == 0 || !a.DataAccess })
}

func narrowReadonly(_ context.Context, r Recording) (Proposal, bool) {
	return Proposal{
		Caveat: DataReadonly{}, Reason: "the clients only read files", Refuses: "requests that change files",
		Mutations: []Mutation{r.mutate("to write the file", func(a *Attempt) { a.Access = Write }), r.unenforced()},
	}, r.filesOnly() && !slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return a.Access != Read })
}

// unenforced returns the mutation that all data caveats refuse.
func (r Recording) unenforced() Mutation {
	return r.mutate("to a service that does not enforce data caveats", func(a *Attempt) { a.DataAccess = false })
}

func narrowPath(_ context.Context, r Recording) (Proposal, bool) {
	if !r.filesOnly() { // only the paths of accesses are known to be clean
		return Proposal{}, false
	}
	var roots DataPath // one in each space
	for _, a := range r.Attempts {
		if a.File.Path == "" {
			return Proposal{}, false
		}
		i := slices.IndexFunc(roots, func(root string) bool { return spaceOf(root) == spaceOf(a.File.Path) })
		switch {
		case i >= 0:
			roots[i] = commonPath(roots[i], a.File.Path)
		case len(roots) == maxNarrowed:
			return Proposal{}, false
		default:
			roots = append(roots, a.File.Path)
		}
	}
	beside := roots[0]
	for slices.ContainsFunc(roots, func(root string) bool { return isWithin(beside, root) }) {
		beside += "-other"
	}
	p := Proposal{
		Caveat: roots, Reason: "all files are at and below these paths", Refuses: "requests for files elsewhere",
		Mutations: []Mutation{
			r.mutate("for a file beside the first path", func(a *Attempt) { a.File.Path = beside }),
			r.mutate("for a file of unknown path", func(a *Attempt) { a.File.Path = "" }),
			r.unenforced(),
		},
	}
	if parent := roots[0][:strings.LastIndexByte(roots[0], '/')]; parent != "" {
		p.Mutations = append(p.Mutations, r.mutate("for the directory above the first path", func(a *Attempt) { a.File.Path = parent }))
	}
	return p, true
}

// spaceOf returns the first component of a clean path.
func spaceOf(path string) string {
	space, _, _ := strings.Cut(path[1:], "/")
	return space
}

// commonPath returns the longest clean path that both clean paths of one space
// are at or below.
func commonPath(a, b string) string {
	for !isWithin(b, a) {
		a = a[:strings.LastIndexByte(a, '/')]
	}
	return a
}

func narrowObjectID(_ context.Context, r Recording) (Proposal, bool) {
	if !r.filesOnly() || slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return len(a.File.ObjectIDs) == 0 }) {
		return Proposal{}, false
	}
	c := commonObject(r)
	if c == nil {
		list, ok := distinct(r, maxNarrowed, func(a Attempt) (string, bool) { return a.File.ObjectIDs[0], true })
		if c = list; !ok {
			return Proposal{}, false
		}
	}
	p := Proposal{
		Caveat: c, Reason: "all files are at and below these objects", Refuses: "requests for other files",
		Mutations: []Mutation{
			r.mutate("for a file with unknown object ids", func(a *Attempt) { a.File.ObjectIDs = nil }), r.unenforced(),
		},
	}
	if id, err := ParseObjectID(c[0]); err == nil {
		id.UUID += "-other"
		if other, err := id.ObjectID(); err == nil {
			p.Mutations = append(p.Mutations, r.mutate("for another file", func(a *Attempt) { a.File.ObjectIDs = []string{other} }))
		}
	}
	return p, true
}

// commonObject returns the first object of the first attempt that is in all
// attempts, or nil.
func commonObject(r Recording) DataObjectID {
	common := slices.Clone(r.Attempts[0].File.ObjectIDs)
	for _, a := range r.Attempts[1:] {
		ids := a.File.ids()
		if common = slices.DeleteFunc(common, func(id string) bool { return !ids.has(id) }); len(common) == 0 {
			return nil
		}
	}
	return common[:1]
}
