package macaroon_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// holding are caveats that everything() satisfies.
var holding = []caveat.Caveat{
	caveat.Time{ValidUntil: 1_700_000_000}, caveat.MustParse("ip = 1.2.3.0/24|9.9.9.9"), caveat.ASN{8973, 1},
	caveat.MustParse("geo.country = PL|DE"), caveat.MustParse("geo.region != Asia"), caveat.MustParse("service = opw-p1|opp-*"),
	caveat.MustParse("consumer = prv-x|usr-u1"), caveat.REST, caveat.MustParse("api = opw/all/file.*.*:*"),
	caveat.DataReadonly{}, caveat.DataPath{"/s1/a|b", "/s2"},
}

// A token verifies after any sequence of minting, confining, printing and
// parsing.
func TestEverySequenceOfStepsIsAccepted(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	types := []macaroon.Type{macaroon.AccessToken(), macaroon.SessionToken("s:1")}
	for range 500 {
		spec := macaroon.Spec{
			Domain: []string{"onezone", "a", strings.Repeat("zone.", 20)}[r.IntN(3)], ID: fmt.Sprintf("%x", r.Uint64()),
			Generation: r.Int64N(3), Subject: []caveat.Subject{alice, provider}[r.IntN(2)], Type: types[r.IntN(2)],
		}
		token, err := macaroon.Mint(spec, secret)
		require.NoError(t, err)
		var want []string
		for range r.IntN(12) {
			switch r.IntN(3) {
			case 0:
				token = parse(t, token.String())
			case 1:
				token = parse(t, plain64(rawOf(t, token.String())))
			default:
				c := holding[r.IntN(len(holding))]
				token = confine(t, token, c)
				want = append(want, c.String())
			}
		}
		auth, err := token.Verify(t.Context(), secret, everything())
		require.NoError(t, err)
		require.Equal(t, spec.Subject, auth.Subject)
		require.Len(t, auth.Caveats(), len(want))
		for i, c := range auth.Caveats() {
			require.Equal(t, want[i], c.String())
		}
	}
}

// A change of any single bit is rejected, except in the location, which is not
// signed.
func TestEverySingleBitCounts(t *testing.T) {
	t.Parallel()
	tokens := []macaroon.Token{
		mint(t, macaroon.Spec{Caveats: holding}),
		mint(t, macaroon.Spec{Version: 1, ID: "legacy", Caveats: holding[:1]}),
		mint(t, macaroon.Spec{Generation: 7, Subject: provider, Type: macaroon.SessionToken("s")}),
	}
	for _, token := range tokens {
		raw := rawOf(t, token.String())
		begin := strings.Index(raw, "onezone")
		end := begin + len("onezone")
		for bit := range len(raw) * 8 {
			changed := []byte(raw)
			changed[bit/8] ^= 1 << (bit % 8)
			other, err := parsePackets(string(changed))
			if err == nil {
				_, err = other.Verify(t.Context(), secret, everything())
			}
			if begin <= bit/8 && bit/8 < end {
				require.True(t, err == nil || errors.Is(err, errors.IDBadToken), "bit %d of the location: %v", bit, err)
				continue
			}
			require.Error(t, err, "bit %d", bit)
			require.True(t, errors.Is(err, errors.IDBadToken) || errors.Is(err, errors.IDTokenInvalid), "bit %d: %v", bit, err)
		}
	}
}

// Removing or reordering caveats breaks the signature.
func TestCaveatsCannotBeTakenOff(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{Caveats: holding})
	raw := rawOf(t, token.String())
	for i, c := range holding {
		p := packet("cid", c.String())
		require.Contains(t, raw, p)
		for name, other := range map[string]string{
			"without": strings.Replace(raw, p, "", 1),
			"twice":   strings.Replace(raw, p, p+p, 1),
			"last":    strings.Replace(strings.Replace(raw, p, "", 1), packet("signature", string(token.Signature())), p+packet("signature", string(token.Signature())), 1),
		} {
			if name == "last" && i == len(holding)-1 {
				continue
			}
			changed, err := parsePackets(other)
			require.NoError(t, err)
			_, err = changed.Verify(t.Context(), secret, everything())
			requireID(t, errors.IDTokenInvalid, err)
		}
	}
}

// Copies of a token share no memory that one of them could change.
func TestConfinedCopiesAreIndependent(t *testing.T) {
	t.Parallel()
	base := parse(t, mint(t, macaroon.Spec{Caveats: holding[:2]}).String())
	texts := make([]string, 50)
	copies := make([]macaroon.Token, 50)
	for i := range copies {
		copies[i] = confine(t, base, caveat.Time{ValidUntil: 1_700_000_000 + int64(i)})
		texts[i] = copies[i].String()
	}
	for i, c := range copies {
		assert.Equal(t, texts[i], c.String())
		assert.Equal(t, fmt.Sprintf("time < %d", 1_700_000_000+i), c.Caveats()[2])
		_, err := c.Verify(t.Context(), secret, everything())
		require.NoError(t, err)
	}
	assert.Len(t, base.Caveats(), 2)
	base.Caveats()[0] = "changed"
	base.Signature()[0]++
	_, err := base.Verify(t.Context(), secret, everything())
	require.NoError(t, err)
}

// In every request, a copy may do only what the original token may do, and
// never what one of its caveats forbids.
func TestConfinementNeverAddsRights(t *testing.T) {
	t.Parallel()
	texts := []string{
		"time < 1600000001", "time < 1599999999", "ip = 1.2.3.4", "ip = 9.9.9.9", "asn = 8973", "geo.country != PL", "geo.region = EU",
		"authorization = none", "service = opw-p1", "service = ozw-*", "consumer = usr-u1", "consumer = grp-g", "interface = rest",
		"interface = oneclient", "api = all/all/*.*.*:*", "data.readonly", "data.path = L3Mx", "moon = full", "time < +5",
	}
	r := rand.New(rand.NewPCG(5, 6))
	types := []macaroon.Type{macaroon.AccessToken(), macaroon.SessionToken("s"), macaroon.IdentityToken(), macaroon.InviteToken(macaroon.UserJoinGroup, "g")}
	request := func() caveat.Request {
		req := everything()
		if r.IntN(3) == 0 {
			req.Now = time.Time{}
		}
		req.Now = req.Now.Add(time.Duration(r.IntN(3)-1) * time.Second)
		req.IP = []netip.Addr{{}, req.IP, mustAddr("9.9.9.9")}[r.IntN(3)]
		req.Interface = []caveat.Interface{0, caveat.REST, caveat.Oneclient}[r.IntN(3)]
		req.DataAccess, req.ProveIdentity = r.IntN(2) == 0, r.IntN(2) == 0
		req.Session = []caveat.Session{{}, caveat.AnySession(), caveat.InSession("s")}[r.IntN(3)]
		for _, typ := range caveat.Types() {
			if r.IntN(8) == 0 {
				req.Ignored = append(req.Ignored, typ)
			}
		}
		return req
	}
	accepted, refused := 0, 0
	for range 4000 {
		token := mint(t, macaroon.Spec{Type: types[r.IntN(len(types))]})
		for range r.IntN(3) {
			token = confineText(t, token, texts[r.IntN(len(texts))])
		}
		copied := confineText(t, token, texts[r.IntN(len(texts))])
		req := request()
		_, errToken := token.Verify(t.Context(), secret, req)
		_, errCopy := copied.Verify(t.Context(), secret, req)
		if errCopy == nil {
			accepted++
			require.NoError(t, errToken, "%v holds where %v does not", copied.Caveats(), token.Caveats())
		} else if errToken == nil {
			refused++
		}
	}
	assert.Greater(t, accepted, 100, "the requests are too strict to prove anything")
	assert.Greater(t, refused, 100, "the requests are too lax to prove anything")
}
