package caveat

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
)

// moon is a toy kind of caveat, "moon = PHASE": one type and one row.
type moon string

func (moon) Type() Type       { return "moon" }
func (m moon) String() string { return "moon = " + string(m) }
func (m moon) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"type": "moon", "whitelist": []string{string(m)}})
}

func (m moon) satisfied(_ context.Context, req Request) (bool, error) {
	return req.Session.Accepts(string(m)), nil
}

func (m moon) problem() string { return unless(m == "full" || m == "new", "no such phase") }
func (moon) demand() string    { return "the moon must be right" }
func (m moon) explain(context.Context, *Attempt) Wording {
	return Wording{Reason: "the moon is not " + string(m)}
}

func TestAKindOfCaveatIsOneFileAndOneRow(t *testing.T) {
	read := func(o object, most int) (Caveat, string) {
		list, ok := readTexts(o.list("whitelist", most), verbatim)
		if !ok {
			return nil, "whitelist must be a list"
		}
		return moon(list[0]), ""
	}
	parse := func(rest string) (Caveat, bool) {
		list, ok := parseList(rest, verbatim)
		if !ok {
			return nil, false
		}
		return moon(list[0]), true
	}
	toy := row{typ: "moon", head: "moon", zero: moon(""), uses: []Use{UseInvite}, parse: parse, read: read}
	v := &Vocabulary{table: newTable(append(append([]row{}, rows...), toy))}

	full, err := v.Parse("moon = full")
	require.NoError(t, err)
	require.Equal(t, moon("full"), full)
	require.Equal(t, "moon = full", full.String())
	fromJSON, err := v.FromJSON([]byte(`{"type":"moon","whitelist":["full"]}`))
	require.NoError(t, err)
	require.Equal(t, full, fromJSON)

	require.NoError(t, v.Validate(moon("new")))
	require.ErrorIs(t, v.Validate(moon("half")), errors.IDBadValueCaveat)
	_, err = v.FromJSON([]byte(`{"type":"moon","whitelist":["half"]}`))
	require.ErrorIs(t, err, errors.IDBadValueCaveat)
	_, err = v.FromJSON([]byte(`{"type":"moon"}`))
	require.ErrorIs(t, err, errors.IDBadValueCaveat)

	list := v.ParseList([]string{"time < 5", "moon = full"})
	req := &Request{Ignored: []Type{TypeTime}, Session: InSession("full")}
	index, err := list.Check(t.Context(), UseInvite, req)
	require.NoError(t, err)
	require.Equal(t, -1, index)
	index, err = list.Check(t.Context(), UseAccess, req)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	require.Equal(t, 1, index)
	req.Session = InSession("new")
	_, err = list.Check(t.Context(), UseInvite, req)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	findings, err := list.Explain(t.Context(), UseInvite, Attempt{Request: *req}, 0)
	require.NoError(t, err)
	require.Equal(t, DoesNotHold, findings[1].Verdict)
	require.Equal(t, "the moon is not full", findings[1].Reason)
	require.Equal(t, "the moon must be right", findings[1].Remedy)

	_, err = Parse("moon = full")
	require.ErrorIs(t, err, errors.IDTokenCaveatUnknown, "the language itself is what it was")
	require.ErrorIs(t, Validate(moon("full")), errors.IDBadValueCaveat)
	require.ErrorIs(t, Check(t.Context(), moon("full"), req), errors.IDTokenCaveatUnknown)
}
