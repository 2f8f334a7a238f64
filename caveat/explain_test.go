package caveat_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/vectors"
	golden "github.com/onezone-go/onezone/testdata/vectors"
)

// explain explains one caveat of an access token.
func explain(t *testing.T, v *caveat.Vocabulary, text string, a caveat.Attempt) caveat.Finding {
	t.Helper()
	findings, err := v.ParseList([]string{text}).Explain(t.Context(), caveat.UseAccess, a, 0)
	require.NoError(t, err)
	require.Len(t, findings, 1)
	return findings[0]
}

func TestExplainSaysWhyACaveatHoldsOrNot(t *testing.T) {
	t.Parallel()
	geo := vectors.Geo(t)
	poland := caveat.Request{Now: now, IP: netip.MustParseAddr("1.2.3.4"), Geo: geo, Interface: caveat.REST, DataAccess: true}
	reads := caveat.Attempt{Request: poland, Access: caveat.Read, File: caveat.File{Path: "/lab/a", ObjectIDs: []string{labObject(t, "a")}}}
	nowhere := caveat.Attempt{Request: caveat.Request{IP: netip.MustParseAddr("9.9.9.9"), Geo: geo}}
	user := caveat.Attempt{Request: caveat.Request{Consumer: caveat.User("u1")}}
	for _, c := range []struct {
		text    string
		attempt caveat.Attempt
		verdict caveat.Verdict
		reason  string
	}{
		{"time < 1600000001", reads, caveat.Holds, "the time is 2020-09-13T12:26:40Z"},
		{"time < 1600000000", reads, caveat.DoesNotHold, "the time is 2020-09-13T12:26:40Z"},
		{"time < 1600000000", nowhere, caveat.CannotTell, "the time of the request is unknown"},
		{"ip = 1.2.0.0/16", reads, caveat.Holds, "the client's address is 1.2.3.4, at all times"},
		{"ip = 10.0.0.0/8", reads, caveat.DoesNotHold, "the client's address is 1.2.3.4, at all times"},
		{"ip = 10.0.0.0/8", user, caveat.CannotTell, "the client's address is unknown"},
		{
			"ip = 10.0.0.0/8", caveat.Attempt{Request: caveat.Request{IP: netip.IPv6Loopback()}}, caveat.DoesNotHold,
			"the client's address is ::1, and masks match only IPv4",
		},
		{"asn = 8973", reads, caveat.Holds, "the client's address 1.2.3.4 belongs to the autonomous system 8973"},
		{"asn = 1", reads, caveat.DoesNotHold, "the client's address 1.2.3.4 belongs to the autonomous system 8973"},
		{"asn = 1", nowhere, caveat.CannotTell, "the geo database does not say where the client's address 9.9.9.9 is"},
		{"asn = 1", user, caveat.CannotTell, "the client's address is unknown"},
		{
			"asn = 1", caveat.Attempt{Request: caveat.Request{IP: poland.IP}}, caveat.CannotTell,
			"the verifier has no geo database",
		},
		{"geo.country = PL", reads, caveat.Holds, `the client's address 1.2.3.4 is in the country "PL"`},
		{"geo.country != PL", reads, caveat.DoesNotHold, `the client's address 1.2.3.4 is in the country "PL"`},
		{"geo.country != PL", nowhere, caveat.CannotTell, "the geo database does not say where the client's address 9.9.9.9 is"},
		{"geo.region = EU", reads, caveat.Holds, `the client's address 1.2.3.4 is in "Europe", "EU"`},
		{"geo.region = Asia", reads, caveat.DoesNotHold, `the client's address 1.2.3.4 is in "Europe", "EU"`},
		{"authorization = none", reads, caveat.DoesNotHold, `a token that is used like this cannot have a caveat of the type "scope"`},
		{"service = opw-p1", reads, caveat.CannotTell, "the service that receives the token is unknown"},
		{
			"service = opw-p1", caveat.Attempt{Request: caveat.Request{Service: caveat.Service{Type: caveat.OpWorker, ID: "p2"}}},
			caveat.DoesNotHold, `the service that receives the token is "opw-p2"`,
		},
		{"consumer = usr-u1|grp-g1", user, caveat.Holds, `the consumer of the token is "usr-u1"`},
		{"consumer = usr-u2", user, caveat.DoesNotHold, `the consumer of the token is "usr-u1"`},
		{
			"consumer = usr-u2|grp-g1", user, caveat.CannotTell,
			`the consumer of the token is "usr-u1", and the verifier does not know the members of groups`,
		},
		{"consumer = usr-u2", reads, caveat.CannotTell, "the consumer of the token is unknown"},
		{"interface = rest", reads, caveat.Holds, `the interface that receives the token is "rest"`},
		{"interface = oneclient", reads, caveat.DoesNotHold, `the interface that receives the token is "rest"`},
		{"interface = oneclient", user, caveat.CannotTell, "the interface that receives the token is unknown"},
		{"api = ozw/get/space.*.*:*", reads, caveat.Holds, "each operation is decided when the client asks for it"},
		{"data.readonly", reads, caveat.Holds, "the file is read"},
		{"data.readonly", writing(reads), caveat.DoesNotHold, "the file is written"},
		{"data.readonly", user, caveat.DoesNotHold, "the service that receives the token does not enforce data caveats"},
		{"data.readonly", caveat.Attempt{Request: poland}, caveat.Holds, "each file is decided when the client asks for it"},
		{"data.path = L2xhYg==", reads, caveat.Holds, `the path of the file is "/lab/a"`},
		{"data.path = L2hvbWU=", reads, caveat.DoesNotHold, `the path of the file is "/lab/a"`},
		{
			"data.path = L2hvbWU=", caveat.Attempt{Request: poland, Access: caveat.Read}, caveat.CannotTell,
			"the path of the file is unknown",
		},
		{
			"data.objectid = " + labObject(t, "b"), caveat.Attempt{Request: poland, Access: caveat.Read}, caveat.CannotTell,
			"the object ids of the file are unknown",
		},
		{"moon = full", reads, caveat.DoesNotHold, "the caveat is not known here"},
	} {
		f := explain(t, nil, c.text, c.attempt)
		assert.Equal(t, c.verdict, f.Verdict, c.text)
		assert.Equal(t, c.reason, f.Reason, c.text)
		assert.Equal(t, c.verdict == caveat.Holds, f.Remedy == "", "%s: %s", c.text, f.Remedy)
		assert.Equal(t, c.verdict == caveat.Holds, f.Err == nil, c.text)
	}
}

// The operation is decided as well, by each caveat that limits the API.
func TestExplainDecidesTheOperation(t *testing.T) {
	t.Parallel()
	resource, err := caveat.ParseGRI("space.s1.instance:private")
	require.NoError(t, err)
	a := caveat.Attempt{Operation: caveat.Delete, Resource: resource, API: caveat.OzWorker}
	a.Service, a.DataAccess = caveat.Service{Type: caveat.OpWorker, ID: "p1"}, true
	for text, verdict := range map[string]caveat.Verdict{
		"api = ozw/get/space.*.*:*": caveat.DoesNotHold, "api = ozw/delete/space.*.*:*": caveat.Holds,
		"service = opw-p1": caveat.DoesNotHold, "data.readonly": caveat.DoesNotHold,
	} {
		f := explain(t, nil, text, a)
		require.Equal(t, verdict, f.Verdict, text)
		require.True(t, f.Checked, "the verification accepts %s", text)
		require.Equal(t, `the operation is "ozw/delete/space.s1.instance:private"`, f.Reason, text)
	}
}

func writing(a caveat.Attempt) caveat.Attempt {
	a.Access = caveat.Write
	return a
}

// labObject returns the object id of a file in the space "lab".
func labObject(t testing.TB, uuid string) string {
	t.Helper()
	id, err := caveat.FileID{UUID: uuid, Space: "lab"}.ObjectID()
	require.NoError(t, err)
	return id
}

func TestExplainSaysWhatWouldMakeACaveatHold(t *testing.T) {
	t.Parallel()
	a := caveat.Attempt{Request: caveat.Request{Now: now, IP: netip.MustParseAddr("1.2.3.4")}}
	for text, remedy := range map[string]string{
		"ip = 10.0.0.0/8":   `the client's address must be in one of the networks "10.0.0.0/8"`,
		"time < 1599999999": "an expired token stays expired; it takes a token that expires later",
		"interface = rest":  `the token may be used only through the interface "rest"`,
		"moon = full":       "only a verifier whose vocabulary has the kind of the caveat accepts the token",
		"data.readonly":     "the token must be used with a service that does",
	} {
		assert.Equal(t, remedy, explain(t, nil, text, a).Remedy)
	}
}

// A look-up that fails refuses the token, and proves nothing about the caveat.
func TestExplainCannotTellAfterAFailedLookup(t *testing.T) {
	t.Parallel()
	a := caveat.Attempt{Request: caveat.Request{Consumer: caveat.User("u1"), Groups: brokenGroups{}}}
	f := explain(t, nil, "consumer = grp-g1", a)
	require.Equal(t, caveat.CannotTell, f.Verdict)
	require.Equal(t, `the consumer of the token is "usr-u1", and a look-up that decides the caveat failed`, f.Reason)
	require.ErrorIs(t, f.Err, errDown)
	data, err := json.Marshal(f)
	require.NoError(t, err)
	require.NotContains(t, string(data), errDown.Error())
}

type brokenGroups struct{}

func (brokenGroups) IsMember(context.Context, caveat.Subject, string) (bool, error) {
	return false, errDown
}

func TestExplainListsWhenTheVerdictChanges(t *testing.T) {
	t.Parallel()
	at := caveat.Attempt{Request: caveat.Request{Now: now, IP: netip.MustParseAddr("10.0.0.1")}}
	day := int64(24 * 60 * 60)
	for text, want := range map[string][]caveat.Change{
		caveat.Time{ValidUntil: now.Unix() + day}.String():       {{At: now.Add(24 * time.Hour).UTC(), Holds: false}},
		caveat.Time{ValidUntil: now.Unix() + 7*day}.String():     {{At: now.Add(7 * 24 * time.Hour).UTC(), Holds: false}},
		caveat.Time{ValidUntil: now.Unix() + 7*day + 1}.String(): nil,
		caveat.Time{ValidUntil: now.Unix()}.String():             nil,
		"time < 9223372036854775807":                             nil,
		"ip = 10.0.0.0/8":                                        nil,
	} {
		assert.Equal(t, want, explain(t, nil, text, at).Changes, text)
	}
	list := (*caveat.Vocabulary)(nil).ParseList([]string{caveat.Time{ValidUntil: now.Unix() + 2*day}.String()})
	findings, err := list.Explain(t.Context(), caveat.UseAccess, at, 24*time.Hour)
	require.NoError(t, err)
	require.Empty(t, findings[0].Changes, "beyond the horizon")

	at.Leeway = time.Minute
	ended := caveat.Time{ValidUntil: now.Unix() - 30}.String()
	for text, want := range map[string][]caveat.Change{
		ended: {{At: now.Add(30 * time.Second).UTC(), Holds: false}},
		caveat.Time{ValidUntil: now.Unix() + day}.String(): {{At: now.Add(24*time.Hour + time.Minute).UTC(), Holds: false}},
	} {
		assert.Equal(t, want, explain(t, nil, text, at).Changes, text)
	}
}

// hours is a kind of caveat that holds during some hours of each day, UTC.
func hours(t testing.TB) *caveat.Vocabulary {
	t.Helper()
	v, err := caveat.NewVocabulary(caveat.Kind{
		Name: "hours",
		Satisfied: func(_ context.Context, value string, req *caveat.Request) (bool, error) {
			return value == "office" && req.Now.UTC().Hour() >= 9 && req.Now.UTC().Hour() < 17, nil
		},
		Explain: func(_ context.Context, _ string, req *caveat.Request) caveat.Wording {
			return caveat.Wording{
				Reason: "the hour is " + req.Now.UTC().Format("15"), Missing: req.Now.IsZero(),
				Remedy: "the token must be used from 9 to 17 UTC",
			}
		},
		Turns: func(_ string, from, to time.Time) (turns []time.Time) {
			for day := from.UTC().Truncate(24 * time.Hour); day.Before(to); day = day.Add(24 * time.Hour) {
				turns = append(turns, day.Add(17*time.Hour), day.Add(9*time.Hour))
			}
			return turns
		},
	}, caveat.Kind{
		Name:      "plain",
		Satisfied: func(_ context.Context, value string, _ *caveat.Request) (bool, error) { return value == "yes", nil },
	})
	require.NoError(t, err)
	return v
}

func TestKindsOfApplicationsExplainThemselves(t *testing.T) {
	t.Parallel()
	v := hours(t)
	noon := caveat.Attempt{Request: caveat.Request{Now: now}} // 12:26
	f := explain(t, v, "hours = office", noon)
	require.Equal(t, caveat.Holds, f.Verdict)
	require.Equal(t, "the hour is 12", f.Reason)
	require.Len(t, f.Changes, 14, "two on each of seven days")
	day := now.UTC().Truncate(24 * time.Hour)
	require.Equal(t, caveat.Change{At: day.Add(17 * time.Hour), Holds: false}, f.Changes[0])
	require.Equal(t, caveat.Change{At: day.Add(33 * time.Hour), Holds: true}, f.Changes[1])

	f = explain(t, v, "hours = office", caveat.Attempt{})
	require.Equal(t, caveat.CannotTell, f.Verdict)
	require.Empty(t, f.Changes)
	require.Equal(t, "the token must be used from 9 to 17 UTC", f.Remedy)

	f = explain(t, v, "plain = no", noon)
	require.Equal(t, caveat.DoesNotHold, f.Verdict)
	require.Equal(t, `the application decides caveats of the kind "plain"`, f.Reason)
	require.Equal(t, `the condition "plain = no" must hold`, f.Remedy)
}

func TestExplainRefusesImpossibleAttempts(t *testing.T) {
	t.Parallel()
	for id, a := range map[errors.ID]caveat.Attempt{
		errors.IDBadGRI:           {Operation: caveat.Get, Resource: caveat.GRI{Type: "*"}},
		errors.IDBadValueFilePath: {Access: caveat.Read, File: caveat.File{Path: "lab"}},
		errors.IDBadData:          {Access: 7},
	} {
		_, err := caveat.List{}.Explain(t.Context(), caveat.UseAccess, a, 0)
		require.ErrorIs(t, err, id)
	}
	_, err := caveat.List{}.Explain(t.Context(), caveat.UseAccess, caveat.Attempt{Operation: 9}, 0)
	require.ErrorIs(t, err, errors.IDBadData)
}

// What Explain says holds is authorized, and the reverse.
func TestExplainAgreesWithTheVectorsOfAuthorize(t *testing.T) {
	vectors.Each(t, "authorize.jsonl", func(t *testing.T, v golden.Authorization) {
		operation, err := caveat.ParseOperation(v.Operation)
		require.NoError(t, err)
		gri, err := caveat.ParseGRI(v.GRI)
		require.NoError(t, err)
		var onezone *caveat.Vocabulary
		list := onezone.ParseList(v.Caveats)
		// Every verification passes, so that the operation alone decides.
		a := caveat.Attempt{Operation: operation, Resource: gri, API: v.Service}
		a.Ignored = caveat.Types()
		findings, err := list.Explain(t.Context(), caveat.UseAccess, a, 0)
		require.NoError(t, err)
		ok := true
		for _, f := range findings {
			require.True(t, f.Checked)
			require.Equal(t, f.Verdict == caveat.Holds, f.Err == nil)
			ok = ok && f.Verdict == caveat.Holds
		}
		require.Equal(t, v.Result.OK, ok)
	})
}

func TestFindingsSurviveJSON(t *testing.T) {
	t.Parallel()
	at := caveat.Attempt{Request: caveat.Request{Now: now, IP: netip.MustParseAddr("10.0.0.1")}}
	for _, text := range []string{"time < 1600000100", "ip = 192.0.2.0/24", "moon = full", "data.readonly"} {
		f := explain(t, nil, text, at)
		data, err := json.Marshal(f)
		require.NoError(t, err)
		var back caveat.Finding
		require.NoError(t, json.Unmarshal(data, &back))
		want := f
		want.Checked = false // it has no JSON form
		require.Equal(t, f.Err == nil, back.Err == nil)
		if f.Err != nil {
			require.ErrorIs(t, back.Err, errors.From(f.Err).ID)
			want.Err, back.Err = nil, nil
		}
		require.Equal(t, want, back)
	}
	var f caveat.Finding
	require.ErrorIs(t, json.Unmarshal([]byte(`{"text":"data.readonly","verdict":"maybe"}`), &f), errors.IDBadValueNotAllowed)
}
