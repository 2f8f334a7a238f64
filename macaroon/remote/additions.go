package remote

import (
	"encoding/json"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// serverCaveats are the members of an answer for the caveats that the owner of a
// token added to its record. Other Onezones than ours do not send them.
type serverCaveats struct {
	Caveats []json.RawMessage `json:"serverCaveats"`
	Added   []int64           `json:"serverCaveatsAdded"` // Unix seconds
}

// read returns the caveats in the vocabulary.
func (s serverCaveats) read(v *caveat.Vocabulary) (additions []caveat.Addition, err error) {
	if len(s.Added) != len(s.Caveats) {
		return nil, errors.New("it does not say when each of the serverCaveats was added")
	}
	for i, raw := range s.Caveats {
		c, err := readCaveat(v, raw)
		if err != nil {
			return nil, errors.New("it has serverCaveats that cannot be read")
		}
		additions = append(additions, caveat.Addition{Text: c.String(), Added: time.Unix(s.Added[i], 0).UTC()})
	}
	return additions, nil
}

// readAdditions reads the members of an answer, which are nil if they are
// missing. An answer that cannot be understood is an error, because no caveat
// may be left out.
func readAdditions(v *caveat.Vocabulary, caveats, added json.RawMessage) ([]caveat.Addition, error) {
	if caveats == nil && added == nil {
		return nil, nil
	}
	var s serverCaveats
	if json.Unmarshal(caveats, &s.Caveats) != nil || json.Unmarshal(added, &s.Added) != nil {
		return nil, errors.New("its serverCaveats are not lists")
	}
	return s.read(v)
}

// needsOfAdditions returns the parts of a request on which the caveats depend.
func (q *question) needsOfAdditions(additions []caveat.Addition) (n needs) {
	texts := make([]string, len(additions))
	for i, a := range additions {
		texts[i] = a.Text
	}
	list := q.req.Vocabulary.ParseList(texts)
	for i := range texts {
		n |= needsOf(list.TypeOf(i))
	}
	return n
}

// needsOfRefusal returns the parts of a request on which the caveat depends that
// Onezone refuses the token for. It may be one that the owner added.
func needsOfRefusal(e *errors.Error) needs {
	if e.ID != errors.IDTokenCaveatUnverified {
		return 0
	}
	refused, _ := e.Details["caveat"].(map[string]any)
	typ, ok := refused["type"].(string)
	if !ok { // "scope": "identityToken"
		return 0
	}
	return needsOf(caveat.Type(typ))
}
