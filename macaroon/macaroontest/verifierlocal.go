package macaroontest

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	golden "github.com/onezone-go/onezone/testdata/vectors"
)

// vectorsNow is a time at which the vectors were made, in Unix seconds.
const vectorsNow = 1_600_000_000

// checkAuthorizations compares what an Auth allows with authorize.jsonl.
func checkAuthorizations(tr *trial) {
	checkLocally(tr, "authorize.jsonl", func(v golden.Authorization) []string { return v.Caveats },
		func(tr *trial, p presented, v golden.Authorization) {
			operation, err := caveat.ParseOperation(v.Operation)
			require.NoError(tr, err)
			gri, err := caveat.ParseGRI(v.GRI)
			require.NoError(tr, err)
			err = tr.accept(p).Authorize(v.Service, operation, gri)
			if v.Result.OK {
				require.NoError(tr, err)
				return
			}
			requireErrorJSON(tr, string(v.Result.Error), v.Result.HTTPCode, err)
		})
}

// checkScopes compares the spaces and services that an Auth leaves with
// scope.jsonl.
func checkScopes(tr *trial) {
	checkLocally(tr, "scope.jsonl", func(v golden.Scope) []string { return v.Caveats },
		func(tr *trial, p presented, v golden.Scope) {
			cs := tr.accept(p).Caveats()
			require.ElementsMatch(tr, v.AvailableSpaces, caveat.AvailableSpaces(cs, v.Spaces))
			require.ElementsMatch(tr, v.AllowedServiceIDs, caveat.AllowedServiceIDs(cs, v.Service, v.ServiceIDs))
		})
}

// checkOffline compares the caveats of offline access after a verification with
// offline.jsonl.
func checkOffline(tr *trial) {
	checkLocally(tr, "offline.jsonl", func(v golden.Offline) []string { return v.Caveats },
		func(tr *trial, p presented, v golden.Offline) {
			cs, err := caveat.OfflineAccess(tr.accept(p).Caveats(), v.Provider, v.Now+v.TTL)
			require.NoError(tr, err)
			var texts []string
			for _, c := range cs {
				texts = append(texts, c.String())
			}
			require.Equal(tr, v.Result[:3], texts[:3])
			require.ElementsMatch(tr, v.Result[3:], texts[3:])
		})
}

// checkLocally verifies a token with the caveats of each vector in a file, for
// a request that satisfies them, and checks the result. Vectors whose caveats
// no request satisfies are left out.
func checkLocally[V any](tr *trial, file string, caveatsOf func(V) []string, check func(tr *trial, p presented, v V)) {
	vt := tr.forVectors(vectorsNow)
	all := readVectors[V](tr, file)
	n := 0
	for i, v := range all {
		texts := caveatsOf(v)
		req, ok := vt.satisfying(texts)
		if !ok {
			continue
		}
		n++
		tr.Run(fmt.Sprintf("%s:%d", file, i+1), func(t *testing.T) {
			one := vt.at(t)
			token, err := one.Token().ConfineUnchecked(texts...)
			require.NoError(one, err)
			check(one.trial, presented{text: token.String(), req: req}, v)
		})
	}
	tr.Logf("%s: %d of %d vectors", file, n, len(all))
	require.GreaterOrEqual(tr, n, len(all)/3)
}

// satisfying returns a request that satisfies the caveats. It tries the values
// that the vectors use; ok is false if none of them does.
func (vt *vectorTrial) satisfying(texts []string) (req caveat.Request, ok bool) {
	vt.Helper()
	known := caveat.Request{Now: vt.Clock.Now(), DataAccess: true, Groups: vt.lookups}
	data, err := golden.Files.ReadFile("geo.json")
	require.NoError(vt, err)
	known.Geo, err = golden.ParseGeo(data)
	require.NoError(vt, err)
	var cs []caveat.Caveat
	for _, text := range texts {
		c, err := caveat.Parse(text)
		if err != nil {
			return req, false
		}
		cs = append(cs, c)
	}
	// The fields are independent, because each caveat is about one of them.
	choose(vt, cs, &known, []string{"1.2.3.4", "8.8.8.8", "185.5.5.5", "10.0.0.1", "192.168.1.1", "127.0.0.1"}, func(r *caveat.Request, v string) {
		r.IP = netip.MustParseAddr(v)
	})
	choose(vt, cs, &known, []caveat.Interface{caveat.REST, caveat.Oneclient, caveat.GraphSync}, func(r *caveat.Request, v caveat.Interface) {
		r.Interface = v
	})
	choose(vt, cs, &known, []caveat.Service{
		{Type: caveat.OzWorker, ID: caveat.OnezoneID}, {Type: caveat.OpWorker, ID: "p1"}, {Type: caveat.OpPanel, ID: "p1"},
		{Type: caveat.OpWorker, ID: "p2"}, {Type: caveat.OpPanel, ID: "p2"},
	}, func(r *caveat.Request, v caveat.Service) { r.Service = v })
	choose(vt, cs, &known, []caveat.Subject{
		caveat.User("u1"), caveat.User("u2"), caveat.Provider("p1"), caveat.Provider("p2"), caveat.Provider("u2"),
	}, func(r *caveat.Request, v caveat.Subject) { r.Consumer = v })
	if vt.unsatisfied(cs, &known) > 0 {
		return req, false
	}
	req = caveat.Request{IP: known.IP, Interface: known.Interface, DataAccess: true}
	if known.Service.Type == caveat.OpWorker || known.Service.Type == caveat.OpPanel {
		req.ServiceToken = servicePrefix(known.Service.Type) + vt.proofOf(caveat.Provider(known.Service.ID))
	}
	req.ConsumerToken = vt.proofOf(known.Consumer)
	return req, true
}

// choose sets a field of the request to the value that satisfies most caveats.
func choose[V any](vt *vectorTrial, cs []caveat.Caveat, req *caveat.Request, values []V, set func(*caveat.Request, V)) {
	vt.Helper()
	best, least := values[0], len(cs)+1
	for _, v := range values {
		set(req, v)
		if n := vt.unsatisfied(cs, req); n < least {
			best, least = v, n
		}
	}
	set(req, best)
}

// unsatisfied returns how many of the caveats do not hold.
func (vt *vectorTrial) unsatisfied(cs []caveat.Caveat, req *caveat.Request) (n int) {
	for _, c := range cs {
		if caveat.Check(vt.Context(), c, req) != nil {
			n++
		}
	}
	return n
}
