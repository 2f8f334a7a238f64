package general_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
)

var allFormats = []general.Format{general.Onezone, general.V1, general.V2, general.V1JSON, general.V2JSON}

func base64Of(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// canHold reports whether a format can hold a sample.
func canHold(format general.Format, sample string) bool {
	switch sample {
	case "binary":
		return format != general.V1JSON
	case "long":
		return format == general.V2 || format == general.V2JSON
	}
	return true
}

func TestEachFormatReadsBackTheSame(t *testing.T) {
	t.Parallel()
	for name, m := range samples(t) {
		for _, format := range allFormats {
			text, err := m.Encode(format)
			if !canHold(format, name) {
				require.ErrorIs(t, err, errors.IDBadData, "%s in %v", name, format)
				continue
			}
			require.NoError(t, err, "%s in %v", name, format)
			back, err := general.Parse(text, format)
			require.NoError(t, err, "%s in %v: %s", name, format, text)
			requireSame(t, m, back)
			assert.Equal(t, format, back.ReadAs())
			assert.Equal(t, text, encode(t, back, format))
		}
	}
}

// gopkg.in/macaroon.v2 reads what is printed, and prints what is read.
func TestTheReferenceImplementationAgrees(t *testing.T) {
	t.Parallel()
	for name, m := range samples(t) {
		for _, format := range []general.Format{general.V1, general.V2, general.V1JSON, general.V2JSON} {
			if !canHold(format, name) {
				continue
			}
			text := encode(t, m, format)
			var theirs macaroonv2.Macaroon
			var again string
			if format == general.V1 || format == general.V2 {
				raw, err := macaroonv2.Base64Decode([]byte(text))
				require.NoError(t, err)
				require.NoError(t, theirs.UnmarshalBinary(raw))
				raw, err = theirs.MarshalBinary()
				require.NoError(t, err)
				again = base64Of(raw)
			} else {
				require.NoError(t, json.Unmarshal([]byte(text), &theirs))
				data, err := json.Marshal(&theirs)
				require.NoError(t, err)
				again = string(data)
			}
			assert.Equal(t, text, again, "%s in %v", name, format)
			assert.Equal(t, m.Location(), theirs.Location())
			assert.Equal(t, m.Identifier(), string(theirs.Id()))
			require.Len(t, theirs.Caveats(), len(m.Caveats()))
			for i, c := range theirs.Caveats() {
				assert.Equal(t, m.Caveats()[i], general.Caveat{Text: string(c.Id), VerificationID: string(c.VerificationId), Location: c.Location})
			}
		}
	}
}

func TestAllVariantsOfBase64AreRead(t *testing.T) {
	t.Parallel()
	m := samples(t)["binary"]
	for _, format := range []general.Format{general.V1, general.V2} {
		raw, err := base64.RawURLEncoding.DecodeString(encode(t, m, format))
		require.NoError(t, err)
		for _, variant := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			back, err := general.Parse(variant.EncodeToString(raw), format)
			require.NoError(t, err)
			requireSame(t, m, back)
		}
	}
	back, err := general.Parse(strings.NewReplacer(`"i64":"AP_-"`, `"i64":"AP/+"`).Replace(encode(t, m, general.V2JSON)), general.V2JSON)
	require.NoError(t, err)
	requireSame(t, m, back)
}

func TestOnlyAcceptedFormatsAreRead(t *testing.T) {
	t.Parallel()
	m := samples(t)["caveats"]
	for _, printed := range allFormats {
		text := encode(t, m, printed)
		for _, accepted := range allFormats {
			_, err := general.Parse(text, accepted)
			if accepted == printed || accepted == general.Onezone && printed == general.V1 {
				require.NoError(t, err)
				continue
			}
			requireProblem(t, "its format is "+printed.String()+", and only "+accepted.String()+" is accepted", err)
		}
		_, err := general.Parse(text, general.Any&^printed&^general.Onezone)
		requireProblem(t, "its format is "+printed.String(), err)
		_, err = general.Options{}.Parse(text)
		assert.Equal(t, printed == general.Onezone || printed == general.V1, err == nil, "Onezone's is the default")
	}
}

func TestFormatsHaveNames(t *testing.T) {
	t.Parallel()
	for _, format := range allFormats {
		named, err := general.ParseFormat(format.String())
		require.NoError(t, err)
		assert.Equal(t, format, named)
	}
	assert.Equal(t, "v1|v2-json", (general.V1 | general.V2JSON).String())
	for _, name := range []string{"", "V2", "v3", "v1|v2"} {
		_, err := general.ParseFormat(name)
		require.ErrorIs(t, err, errors.IDBadValueNotAllowed)
	}
	for _, format := range []general.Format{0, general.Any, 1 << 7} {
		_, err := samples(t)["bare"].Encode(format)
		require.ErrorIs(t, err, errors.IDBadValueNotAllowed)
	}
}

func TestTokensAreMacaroons(t *testing.T) {
	t.Parallel()
	token, err := macaroon.Mint(macaroon.Spec{Domain: "onezone", ID: "id1", Subject: caveat.User("u1"), Type: macaroon.AccessToken()}, key)
	require.NoError(t, err)
	m, err := general.FromToken(token)
	require.NoError(t, err)
	for _, format := range allFormats {
		m, err := general.Parse(encode(t, m, format), format)
		require.NoError(t, err)
		back, err := m.Token()
		require.NoError(t, err)
		assert.Equal(t, token.String(), back.String())
	}
	for name, m := range samples(t) {
		token, err := m.Token()
		switch name { // no Onezone issues such identifiers and locations
		case "bare", "no location", "binary", "long", "third parties":
			require.ErrorIs(t, err, errors.IDBadToken, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, encode(t, m, general.Onezone), token.String())
	}
	_, err = general.FromToken(macaroon.Token{})
	requireProblem(t, "it is empty", err)
	_, err = general.Macaroon{}.Token()
	requireProblem(t, "it is empty", err)
}
