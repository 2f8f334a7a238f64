package macaroon_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/vectors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
	"github.com/onezone-go/onezone/store"
	golden "github.com/onezone-go/onezone/testdata/vectors"
)

// persistence is the persistence of a token in the vectors.
type persistence struct {
	Type       string `json:"type"`
	Generation int64  `json:"generation"`
}

func (p persistence) check(t *testing.T, token macaroon.Token) {
	t.Helper()
	require.Contains(t, []string{"named", "temporary"}, p.Type)
	assert.Equal(t, p.Type == "temporary", token.Generation() > 0)
	assert.Equal(t, p.Generation, token.Generation())
}

// checkSubject compares a subject. It is null in the vectors if the token does
// not contain it, and nobody here.
func checkSubject(t *testing.T, want *caveat.Subject, got caveat.Subject) {
	t.Helper()
	if want == nil {
		assert.Equal(t, caveat.Nobody(), got)
		return
	}
	assert.Equal(t, *want, got)
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// checkError compares an error with the JSON of a vector, which has no
// descriptions, and its HTTP status.
func checkError(t *testing.T, want json.RawMessage, status int, err error) {
	t.Helper()
	var e *errors.Error
	require.ErrorAs(t, err, &e)
	assert.JSONEq(t, string(want), withoutDescriptions(t, toJSON(t, e)))
	if status != 0 {
		assert.Equal(t, status, e.HTTPStatus())
	}
}

func withoutDescriptions(t *testing.T, data string) string {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(data), &v))
	var strip func(v any)
	strip = func(v any) {
		if o, ok := v.(map[string]any); ok {
			delete(o, "description")
			for _, inner := range o {
				strip(inner)
			}
		}
	}
	strip(v)
	return toJSON(t, v)
}

func parseCaveats(t *testing.T, texts []string) []caveat.Caveat {
	t.Helper()
	cs := make([]caveat.Caveat, len(texts))
	for i, text := range texts {
		c, err := caveat.Parse(text)
		require.NoError(t, err)
		cs[i] = c
	}
	return cs
}

type tokenVector struct {
	Case              int             `json:"case"`
	Base64            string          `json:"base64"`
	CaveatTexts       []string        `json:"caveatTexts"`
	Caveats           json.RawMessage `json:"caveats"`
	Expires           *int64          `json:"expires"`
	ID                string          `json:"id"`
	Identifier        string          `json:"identifier"`
	OnezoneDomain     string          `json:"onezoneDomain"`
	Persistence       persistence     `json:"persistence"`
	Secret            string          `json:"secret"`
	ServiceIndication *string         `json:"serviceIndication"`
	Signature         string          `json:"signature"`
	Subject           *caveat.Subject `json:"subject"`
	Token             string          `json:"token"`
	Type              json.RawMessage `json:"type"`
	Version           int             `json:"version"`
}

func TestVectorsTokens(t *testing.T) {
	vectors.Each(t, "tokens.jsonl", func(t *testing.T, v tokenVector) {
		token, err := macaroon.Parse(v.Token)
		require.NoError(t, err)

		assert.Equal(t, v.Version, token.Version())
		assert.Equal(t, v.OnezoneDomain, token.Domain())
		assert.Equal(t, v.ID, token.ID())
		assert.Equal(t, v.Signature, hex.EncodeToString(token.Signature()))
		v.Persistence.check(t, token)
		checkSubject(t, v.Subject, token.Subject())
		assert.JSONEq(t, string(v.Type), toJSON(t, token.Type()))
		assert.Equal(t, v.CaveatTexts, token.Caveats())
		checkExpiry(t, v.Expires, token)
		assert.JSONEq(t, string(v.Caveats), toJSON(t, parseCaveats(t, v.CaveatTexts)))
		raw, ok := wire.Decode(v.Base64)
		require.True(t, ok)
		assert.Contains(t, raw, "identifier "+v.Identifier+"\n")

		plain, err := macaroon.Parse(v.Base64)
		require.NoError(t, err, "plain base64")
		assert.Equal(t, token.String(), plain.String())

		text := token.String()
		if v.ServiceIndication != nil {
			var service caveat.ServiceType
			require.NoError(t, service.UnmarshalText([]byte(*v.ServiceIndication)))
			assert.Equal(t, service, token.Indicated())
			text, err = token.IndicatedBy(service)
			require.NoError(t, err)
		} else if v.Subject != nil && v.Subject.Type == caveat.SubjectProvider {
			assert.Zero(t, token.Indicated())
		}
		if token.Indicated() == 0 || v.ServiceIndication != nil {
			assert.Equal(t, v.Token, text, "printing")
		}

		spec := macaroon.Spec{
			Version: v.Version, Domain: v.OnezoneDomain, ID: v.ID, Generation: v.Persistence.Generation,
			Caveats: parseCaveats(t, v.CaveatTexts),
		}
		if v.Subject != nil {
			spec.Subject = *v.Subject
		}
		require.NoError(t, json.Unmarshal(v.Type, &spec.Type))
		minted, err := macaroon.Mint(spec, store.NewSecret(v.Secret))
		require.NoError(t, err)
		assert.Equal(t, token.String(), minted.String(), "minting from the parts")
	})
}

func checkExpiry(t *testing.T, want *int64, token macaroon.Token) {
	t.Helper()
	got, ok := token.Expiry()
	assert.Equal(t, want != nil, ok)
	if want != nil {
		assert.Equal(t, *want, got)
	}
}

// memberU1 is the group checker of the vectors.
type memberU1 struct{}

func (memberU1) IsMember(_ context.Context, consumer caveat.Subject, group string) (bool, error) {
	return consumer == caveat.User("u1") && (group == "g1" || group == "*"), nil
}

func requestOf(t *testing.T, v golden.Verification) caveat.Request {
	t.Helper()
	c := v.Context
	req := caveat.Request{
		Now: time.Unix(c.Now, 0), DataAccess: c.AllowDataAccessCaveats, Ignored: c.IgnoredCaveats, Geo: vectors.Geo(t),
	}
	switch c.Scope {
	case "unlimited":
	case "identityToken":
		req.ProveIdentity = true
	default:
		t.Fatalf("unknown scope %q", c.Scope)
	}
	if c.IP != nil {
		req.IP = netip.MustParseAddr(*c.IP)
	}
	if c.Interface != nil {
		i, err := caveat.ParseInterface(*c.Interface)
		require.NoError(t, err)
		req.Interface = i
	}
	if c.Service != nil {
		req.Service = *c.Service
	}
	if c.Consumer != nil {
		req.Consumer = *c.Consumer
	}
	if c.Session != nil {
		require.NotEqual(t, c.Session.Any, c.Session.ID != nil)
		if req.Session = caveat.AnySession(); c.Session.ID != nil {
			req.Session = caveat.InSession(*c.Session.ID)
		}
	}
	if c.GroupChecker {
		req.Groups = memberU1{}
	}
	return req
}

func TestVectorsVerify(t *testing.T) {
	vectors.Each(t, "verify.jsonl", func(t *testing.T, v golden.Verification) {
		require.Contains(t, []string{"genuine", "wrongSecret"}, v.Kind)
		token, err := macaroon.Parse(v.Token)
		require.NoError(t, err)
		auth, err := token.Verify(t.Context(), store.NewSecret(v.Secret), requestOf(t, v))
		want := v.Result.OK
		if want == nil {
			checkError(t, v.Result.Error, v.Result.HTTPCode, err)
			return
		}
		require.NoError(t, err)
		checkSubject(t, want.Subject, auth.Subject)
		assert.JSONEq(t, string(want.Caveats), toJSON(t, auth.Caveats()))
		session, peer := "", netip.Addr{}
		if want.SessionID != nil {
			session = *want.SessionID
		}
		if want.PeerIP != nil {
			peer = netip.MustParseAddr(*want.PeerIP)
		}
		assert.Equal(t, session, auth.Session)
		assert.Equal(t, peer, auth.PeerIP)
	})
}

func TestVectorsConfine(t *testing.T) {
	type vector struct {
		Case     int               `json:"case"`
		Add      []json.RawMessage `json:"add"`
		Confined string            `json:"confined"`
		Expires  *int64            `json:"expires"`
		Secret   string            `json:"secret"`
		Token    string            `json:"token"`
	}
	vectors.Each(t, "confine.jsonl", func(t *testing.T, v vector) {
		token, err := macaroon.Parse(v.Token)
		require.NoError(t, err)
		var add []caveat.Caveat
		for _, data := range v.Add {
			c, err := caveat.FromJSON(data)
			require.NoError(t, err)
			add = append(add, c)
		}
		confined, err := token.Confine(add...)
		require.NoError(t, err)
		want, err := macaroon.Parse(v.Confined)
		require.NoError(t, err)
		assert.Equal(t, want.String(), confined.String())
		text := confined.String()
		if i := confined.Indicated(); i != 0 && v.Confined[3] == '-' {
			text, err = confined.IndicatedBy(i)
			require.NoError(t, err)
		}
		assert.Equal(t, v.Confined, text)
		checkExpiry(t, v.Expires, confined)
		_, err = confined.Verify(t.Context(), store.NewSecret(v.Secret+"x"), caveat.Request{})
		assert.ErrorIs(t, err, errors.IDTokenInvalid)
		_, err = confined.Verify(t.Context(), store.NewSecret(v.Secret), caveat.Request{})
		assert.NotErrorIs(t, err, errors.IDTokenInvalid, "the signature must be good")
	})
}

func TestVectorsParse(t *testing.T) {
	type vector struct {
		Token string          `json:"token"`
		Error json.RawMessage `json:"error"`
		OK    *struct {
			Caveats       []json.RawMessage `json:"caveats"` // in text or JSON form
			ID            string            `json:"id"`
			OnezoneDomain string            `json:"onezoneDomain"`
			Persistence   persistence       `json:"persistence"`
			Signature     string            `json:"signature"`
			Subject       *caveat.Subject   `json:"subject"`
			Type          json.RawMessage   `json:"type"`
			Version       int               `json:"version"`
		} `json:"ok"`
	}
	vectors.Each(t, "parse.jsonl", func(t *testing.T, v vector) {
		token, err := macaroon.Parse(v.Token)
		if v.OK == nil {
			checkError(t, v.Error, 0, err)
			return
		}
		require.NoError(t, err)
		require.Len(t, token.Caveats(), len(v.OK.Caveats))
		for i, form := range v.OK.Caveats {
			checkCaveat(t, form, token.Caveats()[i])
		}
		assert.Equal(t, v.OK.ID, token.ID())
		assert.Equal(t, v.OK.OnezoneDomain, token.Domain())
		v.OK.Persistence.check(t, token)
		assert.Equal(t, v.OK.Signature, hex.EncodeToString(token.Signature()))
		checkSubject(t, v.OK.Subject, token.Subject())
		assert.JSONEq(t, string(v.OK.Type), toJSON(t, token.Type()))
		assert.Equal(t, v.OK.Version, token.Version())
		checkText(t, v.Token, token)
	})
}

// checkCaveat compares the text of a caveat with its text or JSON form.
func checkCaveat(t *testing.T, form json.RawMessage, text string) {
	t.Helper()
	var want string
	if json.Unmarshal(form, &want) == nil {
		assert.Equal(t, want, text)
		return
	}
	c, err := caveat.Parse(text)
	require.NoError(t, err)
	assert.JSONEq(t, string(form), toJSON(t, c))
}

// checkText compares the parsed text of a token with its canonical text, which
// has neither a service prefix nor the form of legacy tokens.
func checkText(t *testing.T, read string, token macaroon.Token) {
	t.Helper()
	text := token.String()
	if i := token.Indicated(); i != 0 {
		var err error
		text, err = token.IndicatedBy(i)
		require.NoError(t, err)
	}
	legacy, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(read), "="))
	if err == nil && strings.HasPrefix(string(legacy), "00") {
		again, err := macaroon.Parse(text)
		require.NoError(t, err)
		assert.Equal(t, token, again)
		return
	}
	assert.Equal(t, read, text)
}

func TestVectorsTypeJSONs(t *testing.T) {
	type vector struct {
		JSON      json.RawMessage `json:"json"`
		Valid     bool            `json:"valid"`
		Canonical json.RawMessage `json:"canonical"`
		Text      string          `json:"text"`
	}
	vectors.Each(t, "type_jsons.jsonl", func(t *testing.T, v vector) {
		var typ macaroon.Type
		err := json.Unmarshal(v.JSON, &typ)
		if !v.Valid {
			assert.ErrorIs(t, err, errors.IDBadValueTokenType)
			return
		}
		require.NoError(t, err)
		assert.Equal(t, v.Text, typ.String())
		assert.JSONEq(t, string(v.Canonical), toJSON(t, typ))
		back, err := macaroon.ParseType(v.Text)
		require.NoError(t, err)
		assert.Equal(t, typ, back)
	})
}
