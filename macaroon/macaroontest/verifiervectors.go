package macaroontest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	golden "github.com/onezone-go/onezone/testdata/vectors"
)

// minVectors is how many vectors of verify.jsonl the routes must be able to
// express, so that the check does not pass because it checks nothing.
const minVectors = 70

var vectorChecks = []verifierCheck{
	{"verify", checkVerifications},
	{"authorize", checkAuthorizations},
	{"scope", checkScopes},
	{"offline", checkOffline},
}

// readVectors returns the vectors of a file.
func readVectors[T any](tr *trial, file string) []T {
	tr.Helper()
	list, err := golden.Read[T](file)
	require.NoError(tr, err)
	return list
}

// vectorTrial verifies vectors at one Onezone.
type vectorTrial struct {
	*trial
	parties map[caveat.Subject]caveat.PartyToken
}

func (tr *trial) forVectors(now int64, options ...macaroon.Option) *vectorTrial {
	tr.Helper()
	fresh := tr.another(options...)
	fresh.Clock.Set(time.Unix(now, 0))
	return &vectorTrial{fresh, make(map[caveat.Subject]caveat.PartyToken)}
}

// proofOf returns a token that proves the identity of the subject.
func (vt *vectorTrial) proofOf(subject caveat.Subject) caveat.PartyToken {
	vt.Helper()
	if vt.parties[subject] == "" {
		vt.parties[subject] = vt.party(subject)
	}
	return vt.parties[subject]
}

// at returns the trial with the methods of the subtest.
func (vt *vectorTrial) at(t *testing.T) *vectorTrial {
	t.Helper()
	inner := *vt
	one := trial{T: t, Remote: vt.Remote, verifier: vt.verifier, lookups: vt.lookups, another: vt.another}
	inner.trial = &one
	return &inner
}

func checkVerifications(tr *trial) {
	all := readVectors[golden.Verification](tr, "verify.jsonl")
	byDomain := make(map[string]*vectorTrial)
	n := 0
	for i, v := range all {
		token, err := macaroon.Parse(v.Token)
		require.NoError(tr, err)
		one := verification{v, token}
		if !one.isExpressible() {
			continue
		}
		n++
		vt := byDomain[token.Domain()]
		if vt == nil {
			vt = tr.forVectors(v.Context.Now, macaroon.WithDomain(token.Domain()))
			byDomain[token.Domain()] = vt
		}
		tr.Run(fmt.Sprintf("verify.jsonl:%d", i+1), func(t *testing.T) { one.check(vt.at(t)) })
	}
	tr.Logf("verify.jsonl: %d of %d vectors", n, len(all))
	require.GreaterOrEqual(tr, n, minVectors)
}

// verification is a vector with its parsed token.
type verification struct {
	golden.Verification
	token macaroon.Token
}

// class returns the class of the token in the vector's use.
func (v verification) class() macaroon.Class {
	if v.Context.Scope == "identityToken" {
		return macaroon.Identity
	}
	return v.token.Type().Class()
}

// isExpressible reports whether the verify routes can express the context of
// the vector, and a whole Onezone comes to the result of the vector.
func (v verification) isExpressible() bool {
	c, typ := v.Context, v.token.Type()
	subject := v.token.Subject()
	if v.token.Version() == 2 && subject.Type != caveat.SubjectUser && subject.Type != caveat.SubjectProvider {
		return false
	}
	switch v.class() {
	case macaroon.Identity:
		// Only identity tokens, and access tokens of Oneproviders, prove an
		// identity.
		if c.Scope != "identityToken" || typ.Session() != "" || typ.Class() == macaroon.Invite {
			return false
		}
		if typ.Class() == macaroon.Access && subject.Type != caveat.SubjectProvider {
			return false
		}
	case macaroon.Access:
		// An Onezone refuses sessions of Oneproviders, and their use of services
		// other than its worker, which the vectors do not know.
		limited := typ.Session() != "" || v.serviceToken() != (caveat.Service{})
		if subject.Type == caveat.SubjectProvider && limited && !v.refusesCaveat() {
			return false
		}
	}
	return v.hasNo(c.IgnoredCaveats...) && v.serviceIsExpressible() && (c.Consumer == nil || c.Consumer.ID != "*")
}

// refusesCaveat reports whether the token is refused because of a caveat.
func (v verification) refusesCaveat() bool {
	var e errors.Error
	return json.Unmarshal(v.Result.Error, &e) == nil && e.ID == errors.IDTokenCaveatUnverified
}

// hasNo reports whether the token has no caveat of the types.
func (v verification) hasNo(types ...caveat.Type) bool {
	return !slices.ContainsFunc(v.token.Caveats(), func(text string) bool {
		c, _ := caveat.Parse(text)
		return slices.Contains(types, c.Type())
	})
}

// serviceIsExpressible reports whether the service of the vector does not
// matter, is the default, or is one of a Oneprovider.
func (v verification) serviceIsExpressible() bool {
	s := v.Context.Service
	switch {
	case s == nil || v.class() != macaroon.Access:
		return v.hasNo(caveat.TypeService)
	case *s == caveat.Service{Type: caveat.OzWorker, ID: caveat.OnezoneID}:
		return true
	}
	// The panel of a Oneprovider may use every session.
	anySession := v.Context.Session != nil && v.Context.Session.Any
	return s.ID != "*" && (s.Type == caveat.OpWorker || s.Type == caveat.OpPanel && anySession)
}

// serviceToken returns the service that needs a service token.
func (v verification) serviceToken() caveat.Service {
	s := v.Context.Service
	if s == nil || v.class() != macaroon.Access || s.Type != caveat.OpWorker && s.Type != caveat.OpPanel {
		return caveat.Service{}
	}
	return *s
}

// check verifies the token of the vector as an Onezone that issued it.
func (v verification) check(tr *vectorTrial) {
	holder := v.token.Subject()
	if v.token.Version() == 1 {
		holder = tr.Alice
	}
	tr.create(holder)
	require.NoError(tr, tr.Store.Import(tr.Context(), []store.Record{v.record(holder)}))
	tr.lookups.noGroups.Store(!v.Context.GroupChecker)
	p := presented{text: v.Token, class: v.class(), req: v.request(tr)}
	want := v.Result.OK
	if want == nil {
		_, err := tr.verify(tr.Context(), p)
		v.checkRefusal(tr, err)
		return
	}
	auth := tr.acceptAs(holder, p)
	require.JSONEq(tr, string(want.Caveats), toJSON(tr.trial, auth.Caveats()))
	session, peer := "", netip.Addr{}
	if want.SessionID != nil {
		session = *want.SessionID
	}
	if want.PeerIP != nil {
		peer = netip.MustParseAddr(*want.PeerIP)
	}
	require.Equal(tr, session, auth.Session)
	require.Equal(tr, peer, auth.PeerIP)
	require.Equal(tr, v.token.Type(), auth.Type)
	require.Equal(tr, v.token.ID(), auth.TokenID)
}

// checkRefusal compares the error with that of the vector. An expired token may
// be refused as such before anything else.
func (v verification) checkRefusal(tr *vectorTrial, err error) {
	tr.Helper()
	until, expires := v.token.Expiry()
	if expires && until <= v.Context.Now && errors.Expired(err) {
		return
	}
	requireErrorJSON(tr.trial, string(v.Result.Error), v.Result.HTTPCode, err)
}

// requireErrorJSON requires that an error has the JSON, which is without
// descriptions, and the status.
func requireErrorJSON(tr *trial, want string, status int, err error) {
	tr.Helper()
	e, ok := err.(*errors.Error)
	require.True(tr, ok, "the error is not of the catalogue: %v", err)
	require.Equal(tr, status, e.HTTPStatus())
	var v any
	require.NoError(tr, json.Unmarshal([]byte(toJSON(tr, e)), &v))
	removeDescriptions(v)
	require.JSONEq(tr, want, toJSON(tr, v))
}

// removeDescriptions removes the descriptions of errors in a JSON value.
func removeDescriptions(v any) {
	if object, ok := v.(map[string]any); ok {
		delete(object, "description")
		for _, inner := range object {
			removeDescriptions(inner)
		}
	}
}

// record returns the record that an Onezone with the secret of the vector has
// of the token.
func (v verification) record(holder caveat.Subject) store.Record {
	secret := store.NewSecret(v.Secret)
	if g := v.token.Generation(); g > 0 {
		return store.Record{Temporary: &store.Temporary{Subject: holder, Secret: secret, Generation: g}}
	}
	return store.Record{Token: &store.Token{
		ID: v.token.ID(), Name: fmt.Sprintf("vector %d", v.Case), Version: v.token.Version(), Subject: holder,
		Type: v.token.Type().String(), Secret: secret, Created: v.Context.Now,
	}}
}

// request returns the request of the vector. Tokens prove the service and the
// consumer.
func (v verification) request(tr *vectorTrial) caveat.Request {
	tr.Helper()
	c := v.Context
	req := caveat.Request{DataAccess: c.AllowDataAccessCaveats}
	if c.IP != nil {
		req.IP = netip.MustParseAddr(*c.IP)
	}
	if c.Interface != nil {
		var err error
		req.Interface, err = caveat.ParseInterface(*c.Interface)
		require.NoError(tr, err)
	}
	if c.Session != nil {
		req.Session = caveat.AnySession()
		if c.Session.ID != nil {
			req.Session = caveat.InSession(*c.Session.ID)
		}
	}
	if s := v.serviceToken(); s != (caveat.Service{}) {
		req.ServiceToken = servicePrefix(s.Type) + tr.proofOf(caveat.Provider(s.ID))
	}
	if c.Consumer != nil {
		req.ConsumerToken = tr.proofOf(*c.Consumer)
	}
	return req
}

// servicePrefix returns what a Oneprovider's token starts with to indicate its
// service.
func servicePrefix(t caveat.ServiceType) caveat.PartyToken {
	if t == caveat.OpPanel {
		return "opp-"
	}
	return "opw-"
}
