package memory

import (
	"iter"
	"slices"
	"sort"
)

// maxChunk is how many elements a chunk holds at most: few enough to move,
// enough to keep the list of chunks short.
const maxChunk = 512

// index is a sorted list, cut into chunks so that a change moves the elements
// of one chunk only. The store's mutex guards it.
type index[E any] struct {
	compare func(a, b E) int // zero only for an element and itself
	chunks  [][]E            // none is empty
}

func newIndex[E any](compare func(a, b E) int) *index[E] { return &index[E]{compare: compare} }

// insert adds e, which is not in the index.
func (x *index[E]) insert(e E) {
	c, i := x.seek(func(other E) bool { return x.compare(other, e) < 0 })
	if c == len(x.chunks) {
		if c == 0 {
			x.chunks = [][]E{nil}
		}
		c = len(x.chunks) - 1
		i = len(x.chunks[c])
	}
	chunk := slices.Insert(x.chunks[c], i, e)
	x.chunks[c] = chunk
	if len(chunk) > maxChunk {
		half := len(chunk) / 2
		x.chunks = slices.Insert(x.chunks, c+1, slices.Clone(chunk[half:]))
		x.chunks[c] = slices.Delete(chunk, half, len(chunk))
	}
}

// remove takes out e, which is in the index.
func (x *index[E]) remove(e E) {
	c, i := x.seek(func(other E) bool { return x.compare(other, e) < 0 })
	x.chunks[c] = slices.Delete(x.chunks[c], i, i+1)
	if len(x.chunks[c]) == 0 {
		x.chunks = slices.Delete(x.chunks, c, c+1)
	}
}

// from gives in order the elements that are not skipped: skip holds for the
// first some of them.
func (x *index[E]) from(skip func(E) bool) iter.Seq[E] {
	return func(yield func(E) bool) {
		c, i := x.seek(skip)
		for ; c < len(x.chunks); c, i = c+1, 0 {
			for _, e := range x.chunks[c][i:] {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// seek returns chunk and offset of the first element that is not skipped; the
// chunk after the last if there is none.
func (x *index[E]) seek(skip func(E) bool) (c, i int) {
	c = sort.Search(len(x.chunks), func(c int) bool { return !skip(x.chunks[c][len(x.chunks[c])-1]) })
	if c == len(x.chunks) {
		return c, 0
	}
	return c, sort.Search(len(x.chunks[c]), func(i int) bool { return !skip(x.chunks[c][i]) })
}

// firstOf returns the first limit elements, and whether there are more.
func firstOf[E any](elements iter.Seq[E], limit int) (page []E, more bool) {
	for e := range elements {
		if len(page) == limit {
			return page, true
		}
		page = append(page, e)
	}
	return page, false
}
