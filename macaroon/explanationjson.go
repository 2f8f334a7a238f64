package macaroon

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// explanationJSON is the JSON form of an [Explanation].
type explanationJSON struct {
	Accepted bool              `json:"accepted"`
	Error    *errors.Error     `json:"error"`
	Subject  *caveat.Subject   `json:"subject"` // null unless the signature is right
	Checks   []checkJSON       `json:"checks"`
	Caveats  []json.RawMessage `json:"caveats"`
	Changes  []changeJSON      `json:"changes"`
}

type checkJSON struct {
	Check  Step   `json:"check"`
	Passed bool   `json:"passed"`
	Reason string `json:"reason"`
}

type changeJSON struct {
	Time     int64 `json:"time"` // Unix seconds
	Accepted bool  `json:"accepted"`
}

// addedJSON is what the JSON of an [ExplainedCaveat] has besides that of its
// [caveat.Finding].
type addedJSON struct {
	Added *int64 `json:"added"` // Unix seconds
}

// MarshalJSON returns the form of the operation explain of the token API.
func (e Explanation) MarshalJSON() ([]byte, error) {
	v := explanationJSON{Accepted: e.Accepted(), Checks: []checkJSON{}, Caveats: []json.RawMessage{}, Changes: []changeJSON{}}
	if e.Err != nil {
		v.Error = errors.From(e.Err)
	}
	if !e.Subject.IsZero() {
		v.Subject = &e.Subject
	}
	for _, c := range e.Checks {
		v.Checks = append(v.Checks, checkJSON{c.Step, c.Err == nil, c.Reason})
	}
	for _, c := range e.Caveats {
		data, err := c.MarshalJSON()
		if err != nil {
			return nil, err
		}
		v.Caveats = append(v.Caveats, data)
	}
	for _, c := range e.Changes {
		v.Changes = append(v.Changes, changeJSON{c.At.Unix(), c.Holds})
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads the form that MarshalJSON writes. A check that failed has
// the error of the explanation.
func (e *Explanation) UnmarshalJSON(data []byte) error {
	var v explanationJSON
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	var read Explanation
	switch {
	case v.Accepted != (v.Error == nil) || v.Checks == nil:
		return errors.BadData("explanation")
	case v.Error != nil:
		read.Err = v.Error
	}
	if v.Subject != nil {
		read.Subject = *v.Subject
	}
	for _, raw := range v.Caveats {
		var c ExplainedCaveat
		if err := c.UnmarshalJSON(raw); err != nil {
			return err
		}
		read.Caveats = append(read.Caveats, c)
	}
	read.describeRefusal()
	for _, c := range v.Checks {
		check := Check{Step: c.Check, Reason: c.Reason}
		if !c.Passed {
			check.Err = read.Err
		}
		read.Checks = append(read.Checks, check)
	}
	for _, c := range v.Changes {
		read.Changes = append(read.Changes, caveat.Change{At: time.Unix(c.Time, 0).UTC(), Holds: c.Accepted})
	}
	*e = read
	return nil
}

// describeRefusal makes the error say in words which caveat refuses the token,
// as the explanation does. The description of an error in JSON is not read.
func (e *Explanation) describeRefusal() {
	if !errors.Is(e.Err, errors.IDTokenCaveatUnverified) {
		return
	}
	i := slices.IndexFunc(e.Caveats, func(c ExplainedCaveat) bool { return c.Verdict != caveat.Holds })
	if i < 0 {
		return
	}
	e.Err = caveat.Unverified(e.Caveats[i].Caveat)
}

// MarshalJSON returns the form of [caveat.Finding] with "added", Unix seconds or
// null.
func (c ExplainedCaveat) MarshalJSON() ([]byte, error) {
	data, err := c.Finding.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var added addedJSON
	if !c.Added.IsZero() {
		added.Added = new(c.Added.Unix())
	}
	tail, err := json.Marshal(added)
	if err != nil {
		return nil, err
	}
	return append(append(data[:len(data)-1], ','), tail[1:]...), nil
}

// UnmarshalJSON reads the form that MarshalJSON writes.
func (c *ExplainedCaveat) UnmarshalJSON(data []byte) error {
	var added addedJSON
	var finding caveat.Finding
	if err := json.Unmarshal(data, &added); err != nil {
		return err
	}
	if err := finding.UnmarshalJSON(data); err != nil {
		return err
	}
	*c = ExplainedCaveat{Finding: finding}
	if added.Added != nil {
		c.Added = time.Unix(*added.Added, 0).UTC()
	}
	return nil
}
