package memory

import (
	"iter"
	"slices"
	"sort"
)

// maxChunk is the maximum number of elements in a chunk. It is small enough to
// move a chunk quickly, and large enough for a short list of chunks.
const maxChunk = 512

// index is a sorted list of chunks, so that a change moves only the elements of
// one chunk. The mutex of the store guards it.
type index[E any] struct {
	compare func(a, b E) int // zero only for an element and itself
	chunks  [][]E            // none is empty
}

func newIndex[E any](compare func(a, b E) int) *index[E] { return &index[E]{compare: compare} }

// insert adds e, which must not be in the index.
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

// remove removes e, which must be in the index.
func (x *index[E]) remove(e E) {
	c, i := x.seek(func(other E) bool { return x.compare(other, e) < 0 })
	x.chunks[c] = slices.Delete(x.chunks[c], i, i+1)
	if len(x.chunks[c]) == 0 {
		x.chunks = slices.Delete(x.chunks, c, c+1)
	}
}

// from yields the elements that are not skipped, in order. skip must hold for a
// prefix of the elements.
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

// seek returns the chunk and offset of the first element that is not skipped.
// If all are skipped, the chunk is len(x.chunks).
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
