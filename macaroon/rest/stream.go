package rest

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/onezone-go/onezone/store"
)

// lister returns the elements of one page of a list, and the cursor of the next
// page.
type lister[T any] func(q store.Query) (page []T, next store.Cursor, err error)

// stream answers with {"tokens": [...]} of all pages from the query on. The
// response has a Content-Length if the list has one page. Longer lists are
// written page by page, so that one page is in memory at a time. If a page
// cannot be read, the connection is aborted, so that an incomplete list is not
// mistaken for a complete one.
func stream[T any](c *call, list lister[T], q store.Query) error {
	page, next, err := list(q)
	if err != nil {
		return err
	}
	if page == nil {
		page = []T{}
	}
	if next.IsZero() {
		respond(c.w, http.StatusOK, map[string][]T{"tokens": page})
		return nil
	}
	h := c.w.Header()
	h["Content-Type"], h["X-Content-Type-Options"] = jsonTypeHeader, nosniffHeader
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	w := &listWriter[T]{to: c.w}
	_, w.err = c.w.Write([]byte(`{"tokens":[`))
	for w.write(page); w.err == nil && !next.IsZero(); w.write(page) {
		q.After = next
		if page, next, err = list(q); err != nil {
			c.logFault(c.r, fmt.Errorf("listing tokens, after some were sent: %w", err))
			panic(http.ErrAbortHandler)
		}
	}
	if w.err == nil {
		_, _ = c.w.Write([]byte("]}"))
	}
	return nil
}

// pieceBytes is the size of the encoded pieces in which a list is written. A
// slow client keeps one piece and the remaining elements in memory.
const pieceBytes = 4 << 10

// listWriter writes pages as one JSON array.
type listWriter[T any] struct {
	to        http.ResponseWriter
	piece     []byte
	separator string // before the next element
	err       error
}

// write writes the elements, and clears each to free its memory.
func (w *listWriter[T]) write(page []T) {
	for i, element := range page {
		data, err := json.Marshal(element)
		if err != nil {
			panic(fmt.Errorf("encode the answer: %w", err)) // what the API answers always marshals
		}
		page[i] = *new(T)
		w.piece = append(append(w.piece, w.separator...), data...)
		if w.separator = ","; len(w.piece) >= pieceBytes {
			w.flush()
		}
		if w.err != nil {
			return
		}
	}
	w.flush()
}

func (w *listWriter[T]) flush() {
	if w.err == nil && len(w.piece) > 0 {
		_, w.err = w.to.Write(w.piece)
		w.piece = w.piece[:0]
	}
}
