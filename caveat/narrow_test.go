package caveat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/vectors"
)

// decide decides the attempt like a service that verifies the token, authorizes
// the operation and checks the file.
func decide(ctx context.Context, texts []string, use caveat.Use, a caveat.Attempt) error {
	list := (*caveat.Vocabulary)(nil).ParseList(texts)
	if use == caveat.UseAccess && a.ProveIdentity {
		use = caveat.UseAccessAsIdentity
	}
	if _, err := list.Check(ctx, use, &a.Request); err != nil {
		return err
	}
	if a.Operation != 0 {
		api := a.API
		if api == 0 {
			api = max(a.Service.Type, caveat.OzWorker)
		}
		if err := list.Authorize(api, a.Operation, a.Resource); err != nil {
			return err
		}
	}
	if a.Access != 0 {
		return list.CheckFile(a.File, a.Access)
	}
	return nil
}

// lab returns attempts to read two files of the space "lab".
func lab(t testing.TB) []caveat.Attempt {
	t.Helper()
	read := func(ip, name string, after time.Duration) caveat.Attempt {
		return caveat.Attempt{
			Request: caveat.Request{
				Now: now.Add(after), IP: netip.MustParseAddr(ip), Interface: caveat.REST, DataAccess: true, Geo: vectors.Geo(t),
				Service: caveat.Service{Type: caveat.OpWorker, ID: "p1"}, Consumer: caveat.User("u1"),
			},
			Access: caveat.Read,
			File:   caveat.File{Path: "/lab/results/" + name, ObjectIDs: []string{labObject(t, name), labObject(t, "results")}},
		}
	}
	return []caveat.Attempt{read("1.2.3.4", "a", time.Hour), read("1.2.3.4", "b", 0)}
}

func texts(proposals []caveat.Proposal) []string {
	list := make([]string, len(proposals))
	for i, p := range proposals {
		list[i] = p.Caveat.String()
	}
	return list
}

func TestNarrowProposesTheTightestCaveats(t *testing.T) {
	t.Parallel()
	proposals, err := caveat.Narrow(t.Context(), caveat.UseAccess, caveat.Recording{Attempts: lab(t)})
	require.NoError(t, err)
	require.Equal(t, []string{
		"time < 1600003601", "ip = 1.2.3.4/32", "asn = 8973", "geo.country = PL", "service = opw-p1", "consumer = usr-u1",
		"interface = rest", "data.readonly", caveat.DataPath{"/lab/results"}.String(), "data.objectid = " + labObject(t, "results"),
	}, texts(proposals))
	for _, p := range proposals {
		assert.NotEmpty(t, p.Reason)
		assert.NotEmpty(t, p.Refuses)
		assert.NotEmpty(t, p.Mutations, p.Caveat)
	}
}

// What the attempts do not tell, or do not have in common, is not limited.
func TestNarrowProposesNothingAboutWhatAnAttemptLacks(t *testing.T) {
	t.Parallel()
	for what, lose := range map[string]func(a *caveat.Attempt){
		"time":          func(a *caveat.Attempt) { a.Now = time.Time{} },
		"ip":            func(a *caveat.Attempt) { a.IP = netip.IPv6Loopback() },
		"asn":           func(a *caveat.Attempt) { a.Geo = nil },
		"geo.country":   func(a *caveat.Attempt) { a.Geo = nil },
		"service":       func(a *caveat.Attempt) { a.Service.ID = "*" },
		"consumer":      func(a *caveat.Attempt) { a.Consumer = caveat.Nobody() },
		"interface":     func(a *caveat.Attempt) { a.Interface = caveat.GraphSync },
		"data.readonly": func(a *caveat.Attempt) { a.Access = caveat.Write },
		"data.path":     func(a *caveat.Attempt) { a.File.Path = "" },
		"data.objectid": func(a *caveat.Attempt) { a.File.ObjectIDs = nil },
	} {
		attempts := lab(t)
		lose(&attempts[1])
		proposals, err := caveat.Narrow(t.Context(), caveat.UseAccess, caveat.Recording{Attempts: attempts})
		require.NoError(t, err)
		for _, p := range proposals {
			assert.NotEqual(t, what, string(p.Caveat.Type()))
		}
		require.NotEmpty(t, proposals)
	}
	attempts := lab(t)
	attempts[0].Ignored = []caveat.Type{caveat.TypeIP}
	proposals, err := caveat.Narrow(t.Context(), caveat.UseAccess, caveat.Recording{Attempts: attempts})
	require.NoError(t, err)
	require.NotContains(t, strings.Join(texts(proposals), "\n"), "ip = ")
}

func TestNarrowDerivesNetworks(t *testing.T) {
	t.Parallel()
	for want, addresses := range map[string][]string{
		"ip = 10.0.0.1/32|10.0.0.2/32": {"10.0.0.2", "10.0.0.1", "10.0.0.2"},
		"ip = 10.0.0.0/28|10.1.0.1/32|10.2.0.1/32|10.3.0.1/32|10.4.0.1/32|10.5.0.1/32|10.6.0.1/32|10.7.0.1/32": {
			"10.0.0.1", "10.0.0.9", "10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1", "10.5.0.1", "10.6.0.1", "10.7.0.1",
		},
	} {
		var attempts []caveat.Attempt
		for _, addr := range addresses {
			attempts = append(attempts, caveat.Attempt{Request: caveat.Request{IP: netip.MustParseAddr(addr)}})
		}
		proposals, err := caveat.Narrow(t.Context(), caveat.UseIdentity, caveat.Recording{Attempts: attempts})
		require.NoError(t, err)
		require.Equal(t, []string{want}, texts(proposals))
	}
}

func TestNarrowDerivesPathsPerSpace(t *testing.T) {
	t.Parallel()
	for want, paths := range map[string][]string{
		"/lab":              {"/lab/a", "/lab/b"},
		"/lab/a":            {"/lab/a", "/lab/a/b/c"},
		"/lab/a/b /home":    {"/lab/a/b/c", "/home/x", "/lab/a/b/d", "/home"},
		"/lab/ab /labor":    {"/lab/ab", "/labor"},
		"/lab/results/2026": {"/lab/results/2026/01", "/lab/results/2026/02"},
		"/lab/results":      {"/lab/results/2026", "/lab/results/20261"},
	} {
		var attempts []caveat.Attempt
		for _, path := range paths {
			attempts = append(attempts, caveat.Attempt{
				Request: caveat.Request{DataAccess: true}, Access: caveat.Write, File: caveat.File{Path: path},
			})
		}
		proposals, err := caveat.Narrow(t.Context(), caveat.UseAccess, caveat.Recording{Attempts: attempts})
		require.NoError(t, err)
		require.Equal(t, []string{caveat.DataPath(strings.Fields(want)).String()}, texts(proposals))
	}
}

func TestNarrowDerivesOperations(t *testing.T) {
	t.Parallel()
	do := func(o caveat.Operation, gri string) caveat.Attempt {
		resource, err := caveat.ParseGRI(gri)
		require.NoError(t, err)
		return caveat.Attempt{Operation: o, Resource: resource}
	}
	r := caveat.Recording{Attempts: []caveat.Attempt{
		do(caveat.Get, "space.s1.instance:private"), do(caveat.Update, "space.s1.instance:private"),
		do(caveat.Get, "space.s1.instance:private"),
	}}
	proposals, err := caveat.Narrow(t.Context(), caveat.UseAccess, r)
	require.NoError(t, err)
	require.Equal(t, []string{"api = ozw/get/space.s1.instance:private|ozw/update/space.s1.instance:private"}, texts(proposals))
	require.Len(t, proposals[0].Mutations, 2, "to create and to delete")
}

// A caveat about the service or the interface limits the API, too, so it is
// proposed only if the operations are within that.
func TestNarrowProposesNoCaveatThatRefusesAnOperation(t *testing.T) {
	t.Parallel()
	resource, err := caveat.ParseGRI("space.s1.instance:private")
	require.NoError(t, err)
	a := caveat.Attempt{Operation: caveat.Delete, Resource: resource, API: caveat.OzWorker}
	a.Service, a.Interface = caveat.Service{Type: caveat.OpWorker, ID: "p1"}, caveat.Oneclient
	proposals, err := caveat.Narrow(t.Context(), caveat.UseAccess, caveat.Recording{Attempts: []caveat.Attempt{a}})
	require.NoError(t, err)
	require.Equal(t, []string{"api = ozw/delete/space.s1.instance:private"}, texts(proposals))
}

func TestNarrowEndsWhenAsked(t *testing.T) {
	t.Parallel()
	attempts := lab(t)
	attempts[1].Now = time.Time{}
	r := caveat.Recording{Attempts: attempts, Until: now.Add(24 * time.Hour)}
	proposals, err := caveat.Narrow(t.Context(), caveat.UseAccess, r)
	require.NoError(t, err)
	require.Equal(t, "time < 1600086400", proposals[0].Caveat.String())
	require.Equal(t, "requests at and after 2020-09-14T12:26:40Z", proposals[0].Refuses)

	// A leeway lets a time caveat hold for longer than it says.
	r.Attempts[0].Leeway = time.Minute
	proposals, err = caveat.Narrow(t.Context(), caveat.UseAccess, r)
	require.NoError(t, err)
	require.Equal(t, "time < 1600086400", proposals[0].Caveat.String())
	require.Equal(t, "requests at and after 2020-09-14T12:27:40Z", proposals[0].Refuses)
	require.Len(t, proposals[0].Mutations, 2)

	r.Until = now.Add(time.Hour)
	_, err = caveat.Narrow(t.Context(), caveat.UseAccess, r)
	require.ErrorIs(t, err, errors.IDBadValueTooLow)
	require.ErrorContains(t, err, "1600003601")
}

func TestNarrowRefusesBadRecordings(t *testing.T) {
	t.Parallel()
	for id, r := range map[errors.ID]caveat.Recording{
		errors.IDBadValueEmpty:    {},
		errors.IDLimitReached:     {Attempts: make([]caveat.Attempt, caveat.MaxAttempts+1)},
		errors.IDBadValueFilePath: {Attempts: []caveat.Attempt{{Access: caveat.Read, File: caveat.File{Path: "a"}}}},
		errors.IDBadGRI:           {Attempts: []caveat.Attempt{{Operation: caveat.Get}}},
	} {
		_, err := caveat.Narrow(t.Context(), caveat.UseAccess, r)
		require.ErrorIs(t, err, id)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := caveat.Narrow(ctx, caveat.UseAccess, caveat.Recording{Attempts: lab(t)})
	require.ErrorIs(t, err, context.Canceled)
}

// randomRecording returns attempts with few different values, so that they have
// some in common.
func randomRecording(r *rand.Rand, geo caveat.GeoResolver) caveat.Recording {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	has := [12]bool{} // what the attempts tell
	for i := range has {
		has[i] = r.IntN(4) > 0
	}
	wide := r.IntN(2) == 0
	rec := caveat.Recording{Attempts: make([]caveat.Attempt, 1+r.IntN(30))}
	identity := r.IntN(8) == 0
	for i := range rec.Attempts {
		a := &rec.Attempts[i]
		a.ProveIdentity = identity
		if wide {
			a.Leeway = time.Minute
		}
		if has[0] {
			a.Now = now.Add(time.Duration(r.Int64N(1e15)))
		}
		switch {
		case has[1] && wide:
			a.IP = netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
		case has[1]:
			a.IP = netip.MustParseAddr(pick("1.2.3.4", "8.8.8.8", "185.5.5.5"))
		}
		if has[2] {
			a.Geo = geo
		}
		if has[3] {
			a.Interface = caveat.Interface(1 + r.IntN(3))
			if !wide {
				a.Interface = caveat.REST
			}
		}
		if has[4] {
			a.Service = caveat.Service{Type: caveat.OpWorker, ID: pick("p1", "p2", "p1-other", "p/3")}
		}
		if has[5] {
			a.Consumer = caveat.User(pick("u1", "u2", "u1-other"))
		}
		if has[6] && !identity {
			a.DataAccess, a.Access = true, caveat.Access(1+r.IntN(2))
			if !wide {
				a.Access = caveat.Read
			}
			if has[7] {
				a.File.Path = "/" + pick("lab", "lab", "home") + pick("", "/a", "/a/b", "/ab", "/a-other")
			}
			if has[8] {
				for _, uuid := range []string{pick("x", "y"), pick("root", "root", "top")} {
					id, _ := caveat.FileID{UUID: uuid, Space: "lab"}.ObjectID()
					a.File.ObjectIDs = append(a.File.ObjectIDs, id)
				}
			}
		}
		if has[9] && !has[6] {
			a.Operation = caveat.Operation(1 + r.IntN(4))
			a.Resource = caveat.GRI{Type: pick("space", "file"), ID: pick("s1", "s2", "null"), Aspect: pick("instance", "user,u1"), Scope: "private"}
			if has[10] {
				a.API = caveat.OpWorker
			}
		}
	}
	if has[11] {
		rec.Until = now.Add(1e16)
	}
	return rec
}

// mutated returns random changes of the attempt that the caveat claims to refuse,
// derived from the meaning of the caveat and not from the proposal.
func mutated(r *rand.Rand, c caveat.Caveat, a caveat.Attempt) []caveat.Attempt {
	var list []caveat.Attempt
	change := func(f func(a *caveat.Attempt)) {
		b := a
		f(&b)
		list = append(list, b)
	}
	switch c := c.(type) {
	case caveat.Time:
		change(func(a *caveat.Attempt) { a.Now = time.Unix(c.ValidUntil+r.Int64N(1e6), 0).Add(a.Leeway) })
	case caveat.IP:
		for range 5 {
			addr := netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
			if !slices.ContainsFunc(c, func(m netip.Prefix) bool { return m.Contains(addr) }) {
				change(func(a *caveat.Attempt) { a.IP = addr })
			}
		}
	case caveat.ASN, caveat.Country, caveat.Region:
		change(func(a *caveat.Attempt) { a.IP = netip.MustParseAddr("9.9.9.9") }) // it is in no database
	case caveat.Services:
		change(func(a *caveat.Attempt) { a.Service.ID = fmt.Sprint("p", r.Uint64()) })
		change(func(a *caveat.Attempt) { a.Service.Type = caveat.OpPanel })
	case caveat.Consumers:
		change(func(a *caveat.Attempt) { a.Consumer.ID = fmt.Sprint("u", r.Uint64()) })
		change(func(a *caveat.Attempt) { a.Consumer = caveat.Provider(a.Consumer.ID) })
	case caveat.Interface:
		change(func(a *caveat.Attempt) { a.Interface = c%3 + 1 })
	case caveat.IdentityOnly:
		change(func(a *caveat.Attempt) { a.ProveIdentity = false })
	case caveat.API:
		change(func(a *caveat.Attempt) { a.Resource.ID = fmt.Sprint("s", r.Uint64()) })
		change(func(a *caveat.Attempt) { a.Resource.Aspect = "children" })
	case caveat.DataReadonly:
		change(func(a *caveat.Attempt) { a.Access = caveat.Write })
	case caveat.DataPath:
		change(func(a *caveat.Attempt) { a.File.Path = fmt.Sprint("/space", r.Uint64(), a.File.Path) })
	case caveat.DataObjectID:
		id, _ := caveat.FileID{UUID: fmt.Sprint(r.Uint64()), Space: "lab"}.ObjectID()
		change(func(a *caveat.Attempt) { a.File.ObjectIDs = []string{id} })
	}
	return list
}

// checkNarrow checks what Narrow promises for a recording, and returns how many
// caveats and mutations it has seen.
func checkNarrow(t testing.TB, r *rand.Rand, use caveat.Use, rec caveat.Recording) (caveats, mutations int) {
	t.Helper()
	proposals, err := caveat.Narrow(t.Context(), use, rec)
	require.NoError(t, err)
	all := texts(proposals)
	for _, a := range rec.Attempts {
		if a.Now.IsZero() && !rec.Until.IsZero() {
			a.Now = rec.Until.Add(-time.Second)
		}
		require.NoError(t, decide(t.Context(), all, use, a), "%q", all)
	}
	for _, p := range proposals {
		own := []string{p.Caveat.String()}
		require.NotEmpty(t, p.Mutations, own)
		refused := p.Mutations
		for _, a := range rec.Attempts {
			for _, m := range mutated(r, p.Caveat, a) {
				refused = append(refused, caveat.Mutation{Words: "random", Attempt: m})
			}
		}
		for _, m := range refused {
			require.Error(t, decide(t.Context(), own, use, m.Attempt), "%q allows %s", own, m.Words)
			require.Error(t, decide(t.Context(), all, use, m.Attempt), "%q allow %s", all, m.Words)
		}
		mutations += len(refused)
	}
	return len(proposals), mutations
}

var uses = []caveat.Use{caveat.UseAccess, caveat.UseAccess, caveat.UseIdentity, caveat.UseInvite}

func TestNarrowAcceptsEveryAttemptAndRefusesEveryMutation(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(15, 5))
	geo := vectors.Geo(t)
	caveats, mutations, rounds := 0, 0, 400
	if testing.Short() {
		rounds = 30
	}
	for range rounds {
		c, m := checkNarrow(t, r, uses[r.IntN(len(uses))], randomRecording(r, geo))
		caveats, mutations = caveats+c, mutations+m
	}
	t.Log(caveats, "caveats,", mutations, "mutations")
	require.Greater(t, caveats, 2*rounds)
	require.Greater(t, mutations, 20*rounds)
}

func FuzzNarrow(f *testing.F) {
	geo := vectors.Geo(f)
	for _, attempt := range []string{
		`{}`, `{"time":1600000000,"peerIp":"1.2.3.4","service":"opw-p1","consumer":"usr-u1","interface":"rest"}`,
		`{"access":"read","path":"/lab/a","objectIds":["00000000001ADB4967756964236123736C6162"]}`,
		`{"operation":"get","resource":"space.s1.user,u1:private","api":"oz_worker","proveIdentity":false}`,
		`{"peerIp":"::1","sessionId":null}`, `{"proveIdentity":true}`,
	} {
		f.Add([]byte(attempt), []byte(`{"peerIp":"1.2.3.9","access":"write","path":"/lab/b"}`), uint64(1))
	}
	f.Fuzz(func(t *testing.T, one, two []byte, seed uint64) {
		rec := caveat.Recording{Attempts: make([]caveat.Attempt, 2)}
		if rec.Attempts[0].UnmarshalJSON(one) != nil || rec.Attempts[1].UnmarshalJSON(two) != nil {
			return
		}
		for i := range rec.Attempts {
			rec.Attempts[i].Geo = geo
		}
		r := rand.New(rand.NewPCG(seed, 0))
		checkNarrow(t, r, uses[seed%uint64(len(uses))], rec)
	})
}

func TestProposalsSurviveJSON(t *testing.T) {
	t.Parallel()
	proposals, err := caveat.Narrow(t.Context(), caveat.UseAccess, caveat.Recording{Attempts: lab(t)})
	require.NoError(t, err)
	data, err := json.Marshal(proposals)
	require.NoError(t, err)
	var back []caveat.Proposal
	require.NoError(t, json.Unmarshal(data, &back))
	again, err := json.Marshal(back)
	require.NoError(t, err)
	require.JSONEq(t, string(data), string(again))
	require.Equal(t, texts(proposals), texts(back))
	require.ErrorIs(t, json.Unmarshal([]byte(`[{"text":"moon = full"}]`), &back), errors.IDTokenCaveatUnknown)
}
