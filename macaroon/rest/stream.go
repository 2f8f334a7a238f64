package rest

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/onezone-go/onezone/store"
)

// lister returns the texts of one page of a list, and the cursor of the next page.
type lister func(q store.Query) (texts []string, next store.Cursor, err error)

// stream answers with {"tokens": [...]} of all pages from the query on. A list of
// one page has a length. A longer one is written page by page, so that one page is
// in memory at a time; where a page cannot be read, the connection is aborted, for
// a list that ends early must not pass for one that is complete.
func (c *call) stream(list lister, q store.Query) error {
	texts, next, err := list(q)
	if err != nil {
		return err
	}
	if texts == nil {
		texts = []string{}
	}
	if next.IsZero() {
		respond(c.w, http.StatusOK, map[string][]string{"tokens": texts})
		return nil
	}
	h := c.w.Header()
	h["Content-Type"], h["X-Content-Type-Options"] = jsonTypeHeader, nosniffHeader
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	w := &listWriter{to: c.w}
	_, w.err = c.w.Write([]byte(`{"tokens":[`))
	for w.write(texts); w.err == nil && !next.IsZero(); w.write(texts) {
		q.After = next
		if texts, next, err = list(q); err != nil {
			c.logFault(c.r, fmt.Errorf("listing tokens, after some were sent: %w", err))
			panic(http.ErrAbortHandler)
		}
	}
	if w.err == nil {
		_, _ = c.w.Write([]byte("]}"))
	}
	return nil
}

// listWriter writes texts as elements of one JSON array.
type listWriter struct {
	to        http.ResponseWriter
	separator string // in front of the next element
	err       error
}

func (w *listWriter) write(texts []string) {
	if len(texts) == 0 || w.err != nil {
		return
	}
	data, err := json.Marshal(texts)
	if err != nil {
		panic(fmt.Errorf("encode the answer: %w", err)) // strings always marshal
	}
	_, w.err = w.to.Write(append([]byte(w.separator), data[1:len(data)-1]...))
	w.separator = ","
}
