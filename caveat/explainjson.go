package caveat

import (
	"encoding/json"
	"time"

	"github.com/onezone-go/onezone/errors"
)

// findingJSON is the JSON form of a [Finding].
type findingJSON struct {
	Text    string          `json:"text"`
	Caveat  json.RawMessage `json:"caveat"`
	Verdict string          `json:"verdict"` // "holds", "doesNotHold" or "cannotTell"
	Reason  string          `json:"reason"`
	Remedy  *string         `json:"remedy"`
	Changes []changeJSON    `json:"changes"`
	Error   *errors.Error   `json:"error"`
}

type changeJSON struct {
	Time  int64 `json:"time"` // Unix seconds
	Holds bool  `json:"holds"`
}

// MarshalJSON returns {"text":TEXT,"caveat":{...},"verdict":VERDICT,
// "reason":TEXT,"remedy":TEXT or null,"changes":[{"time":SECONDS,"holds":
// BOOLEAN},...],"error":{...} or null}.
func (f Finding) MarshalJSON() ([]byte, error) {
	c := language.normalize(f.Caveat)
	object, err := c.MarshalJSON()
	if err != nil {
		return nil, err
	}
	v := findingJSON{Text: c.String(), Caveat: object, Verdict: f.Verdict.String(), Reason: f.Reason, Changes: []changeJSON{}}
	if f.Remedy != "" {
		v.Remedy = &f.Remedy
	}
	for _, change := range f.Changes {
		v.Changes = append(v.Changes, changeJSON{change.At.Unix(), change.Holds})
	}
	if f.Err != nil {
		v.Error = errors.From(f.Err)
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads the form that MarshalJSON writes. A caveat outside the
// Onezone language becomes an [Unknown].
func (f *Finding) UnmarshalJSON(data []byte) error {
	var v findingJSON
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	verdict, ok := valueOf[Verdict](verdictNames, v.Verdict)
	if !ok {
		return errors.BadValueNotAllowed("verdict", verdictNames[Holds:]...)
	}
	c, _ := Parse(v.Text)
	*f = Finding{Caveat: c, Verdict: verdict, Reason: v.Reason}
	if v.Remedy != nil {
		f.Remedy = *v.Remedy
	}
	for _, change := range v.Changes {
		f.Changes = append(f.Changes, Change{time.Unix(change.Time, 0).UTC(), change.Holds})
	}
	if v.Error != nil {
		f.Err = v.Error
	}
	return nil
}

// proposalJSON is the JSON form of a [Proposal].
type proposalJSON struct {
	Text     string          `json:"text"`
	Caveat   json.RawMessage `json:"caveat"`
	Reason   string          `json:"reason"`
	Refuses  string          `json:"refuses"`
	Examples []string        `json:"examples"` // of mutations, in words
}

// MarshalJSON returns {"text":TEXT,"caveat":{...},"reason":TEXT,"refuses":TEXT,
// "examples":[TEXT,...]}. The examples are the words of the mutations.
func (p Proposal) MarshalJSON() ([]byte, error) {
	c := language.normalize(p.Caveat)
	object, err := c.MarshalJSON()
	if err != nil {
		return nil, err
	}
	v := proposalJSON{Text: c.String(), Caveat: object, Reason: p.Reason, Refuses: p.Refuses, Examples: []string{}}
	for _, m := range p.Mutations {
		v.Examples = append(v.Examples, m.Words)
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads the form that MarshalJSON writes, in which mutations have
// no attempts. The error is tokenCaveatUnknown for a caveat outside the Onezone
// language.
func (p *Proposal) UnmarshalJSON(data []byte) error {
	var v proposalJSON
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	c, err := Parse(v.Text)
	if err != nil {
		return err
	}
	*p = Proposal{Caveat: c, Reason: v.Reason, Refuses: v.Refuses}
	for _, words := range v.Examples {
		p.Mutations = append(p.Mutations, Mutation{Words: words})
	}
	return nil
}
