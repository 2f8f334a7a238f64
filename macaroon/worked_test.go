package macaroon_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
	"github.com/onezone-go/onezone/store"
)

// The worked examples of the specification, made by the original Onezone, with
// the signature after the identifier and after each caveat.
func TestTheWorkedExamples(t *testing.T) {
	t.Parallel()
	legacy := store.NewSecret("legacySecret")
	for name, c := range map[string]struct {
		secret     store.Secret
		spec       macaroon.Spec
		identifier string
		signatures []string
		text       string
	}{
		"A, a user's access token": {
			secret: secret,
			spec: macaroon.Spec{
				ID: "4c71496ba3dff0052c04c697b12fe157ch9a1f", Subject: caveat.User("d4f5876dbe7f1e7e8a511de6dd31144c"), Type: macaroon.AccessToken(),
				Caveats: []caveat.Caveat{caveat.Time{ValidUntil: 1571147494}, caveat.MustParse("ip = 189.34.15.0/24")},
			},
			identifier: "2/nmd/usr-d4f5876dbe7f1e7e8a511de6dd31144c/act/4c71496ba3dff0052c04c697b12fe157ch9a1f",
			signatures: []string{
				"1a13ca61f57fa0fe98eb8660682d656e91ffcbcb96ea57ca5cf5db60321f38e1",
				"a453acdc0f73609f3860f6533d612ea794c0dd2772ebdc7039fb14777eb63d46",
				"fa2fb8e87c1ac1968ec1d6fd204bd578a42b4a5831d56dd2386a7dfd884d7d28",
			},
			text: "MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDA2NWlkZW500aWZpZXIgMi9ubWQvdXNyLWQ00ZjU4NzZkYmU3ZjFlN2U4YTUxMWRlNmRkMzExNDRjL2FjdC800YzcxNDk2YmEzZGZmMDA1MmMwNGM2OTdiMTJmZTE1N2NoOWExZgowMDFhY2lkIHRpbWUgPCAxNTcxMTQ3NDk00CjAwMWNjaWQgaXAgPSAxODkuMzQuMTUuMC8yNAowMDJmc2lnbmF00dXJlIPovuOh8GsGWjsHW01SBL1XikK00pYMdVt00jhqff2ITX00oCg",
		},
		"B, a Oneprovider's temporary identity token": {
			secret: store.NewSecret("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
			spec: macaroon.Spec{
				ID: "8a2f1c0e9d7b6a5f4e3d2c1b0a998877", Subject: caveat.Provider("01c4455bef059353c9dfb35ba93a24f3"), Type: macaroon.IdentityToken(),
				Generation: 3, Caveats: []caveat.Caveat{caveat.Time{ValidUntil: 1700000000}},
			},
			identifier: "2/tmp-3/prv-01c4455bef059353c9dfb35ba93a24f3/idn/8a2f1c0e9d7b6a5f4e3d2c1b0a998877",
			signatures: []string{
				"044fefe01d522a74194aafea8a2e5a2be8f6a51702c38666064932acd4455d9f",
				"599b9905725f664173b7f6a3f8bbd87a79da30a49268ddd722c65d4f15565521",
			},
			text: "MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDA2MWlkZW500aWZpZXIgMi900bXAtMy9wcnYtMDFjNDQ1NWJlZjA1OTM1M2M5ZGZiMzViYTkzYTI00ZjMvaWRuLzhhMmYxYzBlOWQ3YjZhNWY00ZTNkMmMxYjBhOTk4ODc3CjAwMWFjaWQgdGltZSA8IDE3MDAwMDAwMDAKMDAyZnNpZ25hdHVyZSBZm5kFcl9mQXO39qP4u9h6edowpJJo3dcixl1PFVZVIQo",
		},
		"C, a legacy token": {
			secret: legacy,
			spec: macaroon.Spec{
				Version: 1, ID: "Xr1vTzq0legacyIdentifier", Caveats: []caveat.Caveat{caveat.Time{ValidUntil: 1522358333}},
			},
			identifier: "Xr1vTzq0legacyIdentifier",
			signatures: []string{
				"6f6a55f9176b33cf9892f098404e822563874e2e96141c4995cc7bff5136b86d",
				"3826212883fb7ea67bf7df821e6566cdc0ba5b20d4f558009fea4bfa5e756888",
			},
			text: "MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDAyOGlkZW500aWZpZXIgWHIxdlR6cTBsZWdhY3lJZGVudGlmaWVyCjAwMWFjaWQgdGltZSA8IDE1MjIzNTgzMzMKMDAyZnNpZ25hdHVyZSA4JiEog01t02pnv334IeZWbNwLpbINT1WACf6kv6XnVoiAo",
		},
		"D, an invitation to support a space": {
			secret: legacy,
			spec: macaroon.Spec{
				ID: "28a45b0ce12fefe8e098e9d8c238d74f", Subject: caveat.User("u1"),
				Type: macaroon.InviteToken(macaroon.SupportSpace, "e8df04bb7a8f9a644a773daf24fe631b"),
			},
			identifier: "2/nmd/usr-u1/ssp:e8df04bb7a8f9a644a773daf24fe631b:ge/28a45b0ce12fefe8e098e9d8c238d74f",
			signatures: []string{"49eaf932867616516c4c46ea99e723de19c03ed62b894bc16f79670576c7e971"},
			text:       "MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDA2NWlkZW500aWZpZXIgMi9ubWQvdXNyLXUxL3NzcDplOGRmMDRiYjdhOGY5YTY00NGE3NzNkYWYyNGZlNjMxYjpnZS8yOGE00NWIwY2UxMmZlZmU4ZTA5OGU5ZDhjMjM4ZDc00ZgowMDJmc2lnbmF00dXJlIEnq02TKGdhZRbExG6pnnI94ZwD7WK4lLwW95ZwV2x02lxCg",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.spec
			s.Domain = "onezone.example.com"
			minted, err := macaroon.Mint(s, c.secret)
			require.NoError(t, err)
			assert.Equal(t, c.text, minted.String())

			// The same step by step, starting with the bare identifier.
			s.Caveats = nil
			step, err := macaroon.Mint(s, c.secret)
			require.NoError(t, err)
			assert.Equal(t, c.signatures[0], hex.EncodeToString(step.Signature()))
			raw := packet("location", "onezone.example.com") + packet("identifier", c.identifier)
			for i, cv := range c.spec.Caveats {
				step = confine(t, step, cv)
				assert.Equal(t, c.signatures[i+1], hex.EncodeToString(step.Signature()))
				raw += packet("cid", cv.String())
			}
			assert.Equal(t, c.text, step.String())
			assert.Equal(t, raw+packet("signature", string(step.Signature())), rawOf(t, c.text))

			read := parse(t, c.text)
			assert.Equal(t, c.text, read.String())
			assert.Equal(t, c.spec.ID, read.ID())
			assert.Equal(t, c.spec.Generation, read.Generation())
			if c.spec.Version != 1 {
				assert.Equal(t, c.spec.Subject, read.Subject())
				assert.Equal(t, c.spec.Type, read.Type())
			}
			req := everything()
			req.IP, req.Now = mustAddr("189.34.15.7"), req.Now.AddDate(-4, 0, 0)
			_, err = read.Verify(t.Context(), c.secret, req)
			require.NoError(t, err)
		})
	}
}

// Example A in hexadecimal, one packet per line.
func TestTheBytesOfTheWorkedExample(t *testing.T) {
	t.Parallel()
	raw, err := hex.DecodeString(strings.Join([]string{
		"303032316c6f636174696f6e206f6e657a6f6e652e6578616d706c652e636f6d0a",
		"303036356964656e74696669657220322f6e6d642f7573722d64346635383736646265376631653765386135313164653664643331313434632f6163742f34633731343936626133646666303035326330346336393762313266653135376368396131660a",
		"303031616369642074696d65203c20313537313134373439340a",
		"30303163636964206970203d203138392e33342e31352e302f32340a",
		"303032667369676e617475726520fa2fb8e87c1ac1968ec1d6fd204bd578a42b4a5831d56dd2386a7dfd884d7d280a",
	}, ""))
	require.NoError(t, err)
	require.Len(t, raw, 235)
	const plain = "MDAyMWxvY2F0aW9uIG9uZXpvbmUuZXhhbXBsZS5jb20KMDA2NWlkZW50aWZpZXIgMi9ubWQvdXNyLWQ0ZjU4NzZkYmU3ZjFlN2U4YTUxMWRlNmRkMzExNDRjL2FjdC80YzcxNDk2YmEzZGZmMDA1MmMwNGM2OTdiMTJmZTE1N2NoOWExZgowMDFhY2lkIHRpbWUgPCAxNTcxMTQ3NDk0CjAwMWNjaWQgaXAgPSAxODkuMzQuMTUuMC8yNAowMDJmc2lnbmF0dXJlIPovuOh8GsGWjsHW_SBL1XikK0pYMdVt0jhqff2ITX0oCg"
	assert.Equal(t, plain, plain64(string(raw)))
	token := parse(t, plain)
	assert.Equal(t, wire.Encode(string(raw)), token.String())
	assert.Len(t, token.String(), 325)
	_, err = token.Verify(t.Context(), secret, caveat.Request{Now: start.AddDate(-4, 0, 0), IP: mustAddr("189.34.15.0")})
	require.NoError(t, err)
}

func TestTheTokenOfTheAPIDocumentation(t *testing.T) {
	t.Parallel()
	const text = "MDAxNWxvY2F00aW9uIG9uZXpvbmUKMDAzYmlkZW500aWZpZXIgSlVxNGFLVkJSTXVFN3FLbHNQVHlNX00lLeHpYZXNWdVFSMGNfMldpOXFZNAowMDFhY2lkIHRpbWUgPCAxNTIyMzU4MzMzCjAwMmZzaWduYXR1cmUgv02ByyOA9802H02rPMB7Y9mIhDVAjYDmjAUjtrMs13znukK"
	token := parse(t, text)
	assert.Equal(t, text, token.String())
	assert.Equal(t, 1, token.Version())
	assert.Equal(t, "onezone", token.Domain())
	assert.Equal(t, "JUq4aKVBRMuE7qKlsPTyM_IKxzXesVuQR0c_2Wi9qY4", token.ID())
	assert.Equal(t, caveat.Nobody(), token.Subject())
	assert.Equal(t, macaroon.AccessToken(), token.Type())
	assert.Equal(t, []string{"time < 1522358333"}, token.Caveats())
	until, ok := token.Expiry()
	assert.True(t, ok)
	assert.EqualValues(t, 1522358333, until)
}
