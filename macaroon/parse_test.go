package macaroon_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

func TestPacketsThatNoOnezoneWrites(t *testing.T) {
	t.Parallel()
	location, identifier := packet("location", "onezone"), packet("identifier", identifierText)
	cid, sig := packet("cid", "time < 5"), packet("signature", strings.Repeat("s", 32))
	third := packet("cid", "x") + packet("vid", "v") + packet("cl", "l")
	good := location + identifier + cid + third + sig
	_, err := parsePackets(good)
	require.NoError(t, err)

	for name, raw := range map[string]string{
		"nothing":                            "",
		"length 0000":                        "0000" + good,
		"length 0000 inside":                 location + "0000" + identifier + sig,
		"length 0001":                        location + "0001" + identifier[4:] + sig,
		"length ffff":                        location + "ffff" + identifier[4:] + sig,
		"length one short":                   location + "0022" + identifier[4:] + sig,
		"length one long":                    location + identifier + "0012" + cid[4:] + sig,
		"length of the key alone":            location + identifier + "0008" + cid[4:] + sig,
		"uppercase length":                   location + identifier + cid + "002F" + sig[4:],
		"signed length":                      location + identifier + cid + "+02f" + sig[4:],
		"length with a prefix":               location + identifier + cid + "0x2f" + sig[4:],
		"length with spaces":                 location + identifier + cid + "  2f" + sig[4:],
		"packet after the signature":         good + cid,
		"signature after the signature":      good + sig,
		"trailing byte":                      good + "\n",
		"trailing zero":                      good + "\x00",
		"byte in front":                      "\n" + good,
		"cut in the signature":               good[:len(good)-1],
		"cut in a length":                    location + identifier + "00",
		"no location":                        identifier + sig,
		"no identifier":                      location + sig,
		"no signature":                       location + identifier + cid,
		"repeated location":                  location + location + identifier + sig,
		"repeated identifier":                location + identifier + identifier + sig,
		"identifier first":                   identifier + location + sig,
		"signature first":                    sig + location + identifier,
		"caveat before the identifier":       location + cid + identifier + sig,
		"location at the end":                identifier + sig + location,
		"location after a caveat":            location + identifier + cid + location + sig,
		"empty location":                     packet("location", "") + identifier + sig,
		"empty identifier":                   location + packet("identifier", "") + sig,
		"empty caveat":                       location + identifier + packet("cid", "") + sig,
		"empty signature":                    location + identifier + packet("signature", ""),
		"signature of 31 bytes":              location + identifier + packet("signature", strings.Repeat("s", 31)),
		"signature of 33 bytes":              location + identifier + packet("signature", strings.Repeat("s", 33)),
		"cidjunk":                            location + identifier + packet("cidjunk", "time < 5") + sig,
		"cid without a space":                location + identifier + "000ccidtime\n" + sig,
		"cid with a tab":                     location + identifier + "0011cid\ttime < 5\n" + sig,
		"unknown key":                        location + identifier + packet("nonce", "x") + sig,
		"uppercase key":                      location + identifier + packet("CID", "x") + sig,
		"packet without a line feed":         location + identifier + cid[:len(cid)-1] + "x" + sig,
		"vid without cl":                     location + identifier + packet("cid", "x") + packet("vid", "v") + sig,
		"cl without vid":                     location + identifier + packet("cid", "x") + packet("cl", "l") + sig,
		"vid without cid":                    location + identifier + packet("vid", "v") + packet("cl", "l") + sig,
		"cl before vid":                      location + identifier + packet("cid", "x") + packet("cl", "l") + packet("vid", "v") + sig,
		"vid twice":                          location + identifier + third + packet("vid", "v") + packet("cl", "l") + sig,
		"empty vid":                          location + identifier + packet("cid", "x") + packet("vid", "") + packet("cl", "l") + sig,
		"empty cl":                           location + identifier + packet("cid", "x") + packet("vid", "v") + packet("cl", "") + sig,
		"10,000 caveats":                     location + identifier + strings.Repeat(cid, 10_000) + sig,
		"one caveat over the limit":          location + identifier + strings.Repeat(cid, macaroon.DefaultMaxParsedCaveats+1) + sig,
		"packets of another format (JSON)":   `{"v":1}`,
		"binary format 2 of other libraries": "\x02\x01\x07onezone\x02\x03id1\x00\x00\x06 " + strings.Repeat("s", 32),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for form, text := range map[string]string{"escaped": wire.Encode(raw), "plain": plain64(raw)} {
				token, err := macaroon.Parse(text)
				requireID(t, errors.IDBadToken, err)
				assert.Zero(t, token, form)
				if len(text) > 20 {
					assert.NotContains(t, err.Error(), text[:20], "%s: errors do not quote tokens", form)
				}
			}
		})
	}
}

func TestAsManyCaveatsAsAllowed(t *testing.T) {
	t.Parallel()
	raw := packet("location", "onezone") + packet("identifier", identifierText) +
		strings.Repeat(packet("cid", "time < 5"), macaroon.DefaultMaxParsedCaveats) + packet("signature", strings.Repeat("s", 32))
	token, err := parsePackets(raw)
	require.NoError(t, err)
	assert.Len(t, token.Caveats(), macaroon.DefaultMaxParsedCaveats)
	_, err = macaroon.Limits{MaxCaveats: 3}.Parse(wire.Encode(raw))
	requireID(t, errors.IDBadToken, err)
}

// A value consists of all bytes between the key and the end of the packet.
func TestCaveatsMayHoldAnyBytes(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not UTF-8":      "time < \xff\xfe",
		"line feed":      "time < 5\n",
		"a whole packet": "x\n" + packet("cid", "time < 99999999999"),
		"NUL":            "\x00",
		"a space":        " ",
		"the largest":    strings.Repeat("x", wire.MaxPacket-len("ffffcid \n")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := confineText(t, mint(t, macaroon.Spec{}), text)
			read := parse(t, token.String())
			assert.Equal(t, []string{text}, read.Caveats())
			_, err := read.Verify(t.Context(), secret, everything())
			requireID(t, errors.IDTokenCaveatUnknown, err)
			_, err = token.Confine(caveat.Unknown(text))
			requireID(t, errors.IDBadValueCaveat, err)
		})
	}
}

func TestTextsThatNoOnezonePrints(t *testing.T) {
	t.Parallel()
	// Its text has escapes and 4 unused bits at the end.
	token := parse(t, "MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDA2MWlkZW500aWZpZXIgMi900bXAtMy9wcnYtMDFjNDQ1NWJlZjA1OTM1M2M5ZGZiMzViYTkzYTI00ZjMvaWRuLzhhMmYxYzBlOWQ3YjZhNWY00ZTNkMmMxYjBhOTk4ODc3CjAwMWFjaWQgdGltZSA8IDE3MDAwMDAwMDAKMDAyZnNpZ25hdHVyZSBZm5kFcl9mQXO39qP4u9h6edowpJJo3dcixl1PFVZVIQo")
	good := token.String()
	std := base64.StdEncoding.EncodeToString([]byte(rawOf(t, good)))
	unpadded := strings.TrimRight(std, "=")
	require.Equal(t, "=", std[len(unpadded):])
	twice := base64.StdEncoding.EncodeToString([]byte(packets("id12")))
	require.True(t, strings.HasSuffix(twice, "=="))
	both := base64.StdEncoding.EncodeToString([]byte(packets("id1", "\xfb\xff\xfe\xfb\xff\xfe")))
	require.True(t, strings.Contains(both, "+") && strings.Contains(both, "/"))
	for name, text := range map[string]string{
		"empty":                       "",
		"indication only":             "opw-",
		"hyphen only":                 "-",
		"three letters and a hyphen":  "abc-",
		"a letter":                    "x",
		"repeated indication":         "opw-opw-" + good,
		"mixed indications":           "opw-opp-" + good,
		"indication of Onezone":       "ozw-" + good,
		"indication of Onezone panel": "ozp-" + good,
		"uppercase indication":        "OPW-" + good,
		"unknown indication":          "xyz-" + good,
		"indication at the end":       good + "opw-",
		"line feed at the end":        good + "\n",
		"line feed inside":            good[:40] + "\n" + good[40:],
		"carriage return inside":      good[:40] + "\r" + good[40:],
		"space inside":                good[:40] + " " + good[40:],
		"tab inside":                  good[:40] + "\t" + good[40:],
		"space in front":              " " + good,
		"unpaired 0 at the end":       good + "0",
		"unknown escape":              strings.Replace(good, "00", "07", 1),
		"escape of a slash":           strings.Replace(good, "00", "03", 1),
		"escape of a plus":            strings.Replace(good, "00", "04", 1),
		"escape of padding":           strings.Replace(good, "00", "05", 1),
		"escaped padding at the end":  good + "05",
		"padding at the end":          good + "=",
		"0 not escaped":               strings.Replace(good, "00", "0", 1),
		"hyphen not escaped":          strings.Replace(good, "00", "-", 1),
		"one character more":          good + "A",
		"one character less":          good[:len(good)-1],
		"spare bits":                  good[:len(good)-1] + "p",
		"not ASCII":                   good[:40] + "é" + good[40:],
		"fullwidth letters":           strings.Replace(good, "M", "\uff2d", 1),
		"byte order mark":             "\ufeff" + good,
		"NUL":                         good + "\x00",
		"plain, too much padding":     std + "=",
		"plain, padding inside":       std[:8] + "=" + std[8:],
		"plain, data after padding":   std + "AAAA",
		"plain, half padded":          strings.TrimSuffix(twice, "="),
		"plain, mixed alphabets":      strings.Replace(both, "+", "-", 1),
		"plain, mixed the other way":  strings.Replace(both, "/", "_", 1),
		"plain, line feed at the end": std + "\n",
		"plain, line feed inside":     std[:40] + "\r\n" + std[40:],
		"plain, space inside":         std[:40] + " " + std[40:],
		"plain, spare bits":           unpadded[:len(unpadded)-1] + "p",
		"plain, escaped in part":      strings.Replace(unpadded, "Y2F0", "Y2F00", 1),
		"plain, repeated indication":  "opw-opw-" + std,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := macaroon.Parse(text)
			requireID(t, errors.IDBadToken, err)
			assert.Zero(t, token)
		})
	}
}

func rawOf(t testing.TB, text string) string {
	t.Helper()
	raw, ok := wire.Decode(text)
	require.True(t, ok)
	return raw
}

func TestPlainBase64OfOldTokensIsRead(t *testing.T) {
	t.Parallel()
	// Ids of different lengths and bytes give all paddings and alphabets.
	for _, id := range []string{"a", "ab", "abc", "abcd", "??>>", "~~~", "oooo", "\u00ff\u00fe"} {
		raw := packet("location", "onezone") + packet("identifier", id) + packet("signature", strings.Repeat("\xfb\xff", 16))
		want := wire.Encode(raw)
		for name, e := range map[string]*base64.Encoding{
			"std": base64.StdEncoding, "raw std": base64.RawStdEncoding, "url": base64.URLEncoding, "raw url": base64.RawURLEncoding,
		} {
			for _, indication := range []string{"", "opp-"} {
				token, err := macaroon.Parse(indication + e.EncodeToString([]byte(raw)))
				require.NoError(t, err, "%s of %q", name, id)
				assert.Equal(t, want, token.String())
				assert.Equal(t, id, token.ID())
			}
		}
	}
}

func TestSizeIsCheckedFirst(t *testing.T) {
	t.Parallel()
	// 262,144 groups of three bytes, whose plain base64 is exactly 1 MiB long.
	raw := packets(identifierText)
	for missing := 1<<18*3 - len(raw); missing > 0; missing = 1<<18*3 - len(raw) {
		c := packet("cid", strings.Repeat("x", min(missing, 60_000)-len("0000cid \n")))
		raw = strings.Replace(raw, packet("identifier", identifierText), packet("identifier", identifierText)+c, 1)
	}
	largest := plain64(raw)
	require.Len(t, largest, macaroon.DefaultMaxSize)
	assert.Equal(t, "id1", parse(t, largest).ID())

	for name, text := range map[string]string{
		"a good token and one character": largest + "A",
		"a good token with a mark":       "opw-" + largest,
		"garbage":                        strings.Repeat("?", macaroon.DefaultMaxSize+1),
		"a bad mark":                     "xyz-" + largest,
	} {
		_, err := macaroon.Parse(text)
		requireID(t, errors.IDTokenTooLarge, err)
		var e *errors.Error
		require.ErrorAs(t, err, &e)
		assert.EqualValues(t, macaroon.DefaultMaxSize, e.Details["limit"], name)
	}
	_, err := macaroon.Parse(strings.Repeat("?", macaroon.DefaultMaxSize))
	requireID(t, errors.IDBadToken, err)

	text := mint(t, macaroon.Spec{}).String()
	limits := macaroon.Limits{MaxSize: len(text)}
	_, err = limits.Parse(text)
	require.NoError(t, err)
	_, err = limits.Parse("opw-" + text)
	requireID(t, errors.IDTokenTooLarge, err)
}

// The cost of parsing must be at most linear in the length of the text.
func TestTheLongestTokensAreReadQuickly(t *testing.T) {
	t.Parallel()
	raw := packet("location", "onezone") + packet("identifier", identifierText) +
		strings.Repeat(packet("cid", strings.Repeat("x", 180)), 4000) + packet("signature", strings.Repeat("s", 32))
	text := wire.Encode(raw)
	require.Greater(t, len(text), macaroon.DefaultMaxSize*9/10)
	begin := time.Now()
	token := parse(t, text)
	_, err := token.Verify(t.Context(), secret, caveat.Request{Now: start})
	requireID(t, errors.IDTokenInvalid, err)
	assert.Less(t, time.Since(begin), 2*time.Second)
}
