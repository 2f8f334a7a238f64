package caveat

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Time is the caveat "time < ValidUntil": it holds while now < ValidUntil, in
// whole seconds.
type Time struct {
	ValidUntil int64 // Unix seconds
}

// Until returns the caveat that holds before t, in whole seconds.
func Until(t time.Time) Time { return Time{t.Unix()} }

func parseTime(rest string) (Caveat, bool) {
	digits, isTime := strings.CutPrefix(rest, " < ")
	n, ok := parseDecimal(digits, 63)
	return Time{n}, isTime && ok
}

func readTime(o object, _ int) (Caveat, string) {
	if !o.has("validUntil") {
		return nil, notThisForm
	}
	n, ok := integer(o["validUntil"])
	return Time{n}, unless(ok, "validUntil must be an integer number of seconds")
}

// parseDecimal parses a number in canonical form: digits without a sign or
// leading zeros.
func parseDecimal(s string, bits int) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, bits)
	return int64(n), err == nil && (s == "0" || s[0] != '0')
}

// Type returns [TypeTime].
func (Time) Type() Type { return TypeTime }

// String returns the text "time < SECONDS".
func (t Time) String() string {
	var stack [32]byte
	return string(strconv.AppendInt(append(stack[:0], "time < "...), t.ValidUntil, 10))
}

// MarshalJSON returns {"type":"time","validUntil":SECONDS}.
func (t Time) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type       Type  `json:"type"`
		ValidUntil int64 `json:"validUntil"`
	}{TypeTime, t.ValidUntil})
}

func (t Time) satisfied(_ context.Context, req Request) (bool, error) {
	return !req.Now.IsZero() && req.Now.Add(-max(req.Leeway, 0)).Unix() < t.ValidUntil, nil
}

func (t Time) problem() string {
	if t.ValidUntil < 0 {
		return "validUntil must not be negative"
	}
	return ""
}

func (t Time) demand() string {
	// Years after 9999 have no RFC 3339 form.
	if at := time.Unix(t.ValidUntil, 0).UTC(); at.Year() <= 9999 && t.ValidUntil >= 0 {
		return "the token is good only before " + at.Format(time.RFC3339)
	}
	return fmt.Sprintf("the token is good only before second %d of the Unix epoch", t.ValidUntil)
}

func (Time) explain(_ context.Context, a *Attempt) Wording {
	if a.Now.IsZero() {
		return Wording{Reason: "the time of the request is unknown", Missing: true}
	}
	return Wording{
		Reason: "the time is " + a.Now.UTC().Format(time.RFC3339),
		Remedy: "an expired token stays expired; it takes a token that expires later",
	}
}

func (t Time) turns(_, to time.Time) []time.Time {
	if t.ValidUntil > to.Unix() {
		return nil
	}
	return []time.Time{time.Unix(t.ValidUntil, 0)}
}
