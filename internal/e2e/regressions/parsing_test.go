//go:build e2e

package regressions

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

var (
	signature  = packet("signature", strings.Repeat("s", 32))
	location   = packet("location", "onezone")
	identifier = packet("identifier", "2/nmd/usr-alice/act/id")
)

func shortIdentifiersAreRefused(t *testing.T) {
	parse := func(identifier string) error {
		_, err := macaroon.Parse(base64Of(location + packet("identifier", identifier) + signature))
		return err
	}
	for _, short := range []string{
		"", "1/", "2/", "3/x", "+1/", "-1/x", "0/", "2/nmd", "2/nmd/", "2/nmd/usr-", "2/nmd/usr-/act/x", "2/tmp-/usr-u/act/x", "2/nmd/u/act/x",
		"2/nmd/usr-u/a/x", "2/nmd/usr-u/act", "2/nmd/usr-u/act/", "\x02", "\x03",
	} {
		require.ErrorIs(t, parse(short), errors.IDBadToken, "%q", short)
	}
	for _, short := range []string{"/", "/x", "//", "+/", "A", "+", "2"} { // any text is an identifier of version 1
		require.NoError(t, parse(short), "%q", short)
	}
	// Texts that are cut anywhere.
	m := newMacaroon(t, "album 7", rootKey, "a")
	for _, format := range []general.Format{general.V1, general.V2} {
		text := encode(t, m, format)
		for size := range len(text) {
			requireBadToken(t, text[:size], format, "a cut text")
		}
	}
	_, err := discharge.Verify(t.Context(), general.Macaroon{}, rootKey, caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenInvalid)
}

func packetsWithoutLengthAreRefused(t *testing.T) {
	for name, packets := range map[string]string{
		"a caveat":      location + identifier + "0000cid x\n" + signature,
		"the location":  "0000location x\n" + identifier + signature,
		"the signature": location + identifier + "0000signature " + strings.Repeat("s", 32) + "\n",
		"a short one":   location + identifier + "0005cid x\n" + signature,
	} {
		_, err := general.Parse(base64Of(packets), general.V1)
		require.ErrorIs(t, err, errors.IDBadToken, name)
		require.ErrorContains(t, err, "the length of a packet", name)
	}
	_, err := general.Parse(base64Of(location+identifier+"\x00\x00\x00\x00cid x\n"+signature), general.V1)
	require.ErrorIs(t, err, errors.IDBadToken)
}

func base64HasNoVariants(t *testing.T) {
	m := newMacaroon(t, "album 7", rootKey, "ab")
	token := macaroontest.New(t).Token().String()
	unused := 0
	for _, text := range []string{encode(t, m, general.V1), encode(t, m, general.V2), encode(t, newMacaroon(t, "album", rootKey), general.V2), token} {
		_, err := general.Parse(text, general.Any)
		require.NoError(t, err)
		for _, variant := range []string{text + "\n", text[:8] + "\r\n" + text[8:], " " + text, text + "=", text + "==", text + "===", text + "A"} {
			if _, err := base64.URLEncoding.Strict().DecodeString(variant); err == nil && !strings.Contains(variant, "\n") {
				continue // the padding that belongs there
			}
			requireBadToken(t, variant, general.Any, "more characters")
		}
		for _, last := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
			variant := text[:len(text)-1] + string(last)
			raw, err := base64.RawURLEncoding.DecodeString(variant)
			same, _ := base64.RawURLEncoding.DecodeString(text)
			if variant != text && err == nil && string(raw) == string(same) && text != token {
				unused++
				requireBadToken(t, variant, general.Any, "unused bits")
			}
		}
	}
	require.Greater(t, unused, 2)
}

func sizesHaveOneForm(t *testing.T) {
	for name, raw := range map[string]string{
		"one more byte":      "\x02\x02\x81\x00i\x00\x00\x06\x20" + strings.Repeat("s", 32),
		"two more bytes":     "\x02\x02\x81\x80\x00i\x00\x00\x06\x20" + strings.Repeat("s", 32),
		"of the signature":   "\x02\x02\x01i\x00\x00\x06\xa0\x00" + strings.Repeat("s", 32),
		"a type in two":      "\x02\x82\x00\x01i\x00\x00\x06\x20" + strings.Repeat("s", 32),
		"more than 64 bits":  "\x02\x02" + strings.Repeat("\xff", 10) + "\x01i\x00\x00\x06\x20" + strings.Repeat("s", 32),
		"a negative integer": "\x02\x02\xff\xff\xff\xff\x0fi\x00\x00\x06\x20" + strings.Repeat("s", 32),
	} {
		requireBadToken(t, base64Of(raw), general.V2, name)
	}
	_, err := general.Parse(base64Of("\x02\x02\x01i\x00\x00\x06\x20"+strings.Repeat("s", 32)), general.V2)
	require.NoError(t, err)
}

func nothingFollowsTheSignature(t *testing.T) {
	version2 := "\x02\x02\x01i\x00\x00\x06\x20" + strings.Repeat("s", 32)
	for name, raw := range map[string]string{
		"version 1": location + identifier + signature, "version 2": version2,
	} {
		_, err := general.Parse(base64Of(raw), general.V1|general.V2)
		require.NoError(t, err, name)
		for _, more := range []string{"\x00", "\n", "x", raw, signature} {
			requireBadToken(t, base64Of(raw+more), general.V1|general.V2, name)
		}
	}
	requireBadToken(t, `{"v":2,"i":"i","s64":"`+base64Of(strings.Repeat("s", 32))+`"} {}`, general.V2JSON, "JSON")
}

func packetsAreNotRepeated(t *testing.T) {
	caveats := packet("cid", "a")
	for name, packets := range map[string]string{
		"location": location + location + identifier + signature, "identifier": location + identifier + packet("identifier", "x") + signature,
		"signature": location + identifier + signature + signature, "signature first": location + signature + identifier,
		"order": identifier + location + signature, "location last": location + identifier + caveats + location + signature,
		"verification id": location + identifier + caveats + packet("vid", "v") + packet("vid", "w") + packet("cl", "l") + signature,
		"caveat location": location + identifier + caveats + packet("vid", "v") + packet("cl", "l") + packet("cl", "m") + signature,
	} {
		requireBadToken(t, base64Of(packets), general.V1, name)
	}
}

func keysAreNotRepeated(t *testing.T) {
	s := base64Of(strings.Repeat("s", 32))
	for _, text := range []string{
		`{"v":2,"i":"album 7","i":"album 8","s64":"` + s + `"}`,
		`{"v":2,"i":"album 7","\u0069":"album 8","s64":"` + s + `"}`,
		`{"v":2,"i":"album 7","i64":"YQ","s64":"` + s + `"}`,
		`{"v":2,"i":"album 7","c":[{"i":"a","i":"b"}],"s64":"` + s + `"}`,
		`{"v":2,"i":"album 7","c":[{"i":"a"}],"c":[],"s64":"` + s + `"}`,
		`{"identifier":"album 7","identifier":"album 8","signature":"` + strings.Repeat("73", 32) + `"}`,
		`{"identifier":"album 7","i":"album 8","v":2,"s64":"` + s + `","signature":"` + strings.Repeat("73", 32) + `"}`,
	} {
		requireBadToken(t, text, general.Any, text)
	}
}

func keysAreNotFolded(t *testing.T) {
	s := base64Of(strings.Repeat("s", 32))
	for _, text := range []string{
		`{"V":2,"i":"album 7","s64":"` + s + `"}`, `{"v":2,"I":"album 7","s64":"` + s + `"}`, `{"v":2,"i":"album 7","S64":"` + s + `"}`,
		`{"v":2,"i":"album 7","I":"album 8","s64":"` + s + `"}`, `{"v":2,"i":"album 7","\u017f64":"` + s + `"}`,
		`{"v":2,"i":"album 7","c":[{"I":"a"}],"s64":"` + s + `"}`,
		`{"Identifier":"album 7","signature":"` + strings.Repeat("73", 32) + `"}`,
		`{"identifier":"album 7","Signature":"` + strings.Repeat("73", 32) + `"}`,
	} {
		requireBadToken(t, text, general.Any, text)
	}
}

// A megabyte of anything costs at most a few times its size in memory.
func parsingDoesNotAmplify(t *testing.T) {
	const size = macaroon.DefaultMaxSize - 100
	s := base64Of(strings.Repeat("s", 32))
	many := strings.Repeat("\x02\x01a\x00", size/6)
	for name, c := range map[string]struct {
		parse func(string) error
		text  string
		most  float64 // bytes of memory for each byte
	}{
		"separators of a bundle": {parseBundle, "Macaroon " + strings.Repeat(",", size), 0.1},
		"caveats of version 1":   {parseAny, base64Of(location + identifier + strings.Repeat(packet("cid", "a"), size/14) + signature), 5},
		"caveats of version 2":   {parseAny, base64Of("\x02\x02\x01i\x00" + many + "\x00\x06\x20" + strings.Repeat("s", 32)), 2},
		"caveats in JSON":        {parseAny, `{"v":2,"i":"i","c":[` + strings.Repeat(`{},`, size/3-50) + `{}],"s64":"` + s + `"}`, 6},
		"members in JSON":        {parseAny, `{"v":2` + members(size/16) + `}`, 24},
		"nested lists":           {parseAny, `{"v":` + strings.Repeat("[", size-10), 2},
		"slashes of a token":     {parseToken, base64Of(location + packet("identifier", "2"+strings.Repeat("/", 60_000)) + signature), 4},
		"a long text":            {parseToken, strings.Repeat("A", 2*macaroon.DefaultMaxSize), 0.1},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := c.parse(c.text)
		runtime.ReadMemStats(&after)
		require.Error(t, err, name)
		ratio := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(c.text))
		require.LessOrEqual(t, ratio, c.most, "%s: bytes of memory for each byte of the text", name)
	}
}

func parseBundle(text string) error { _, err := general.ParseBundle(text, general.Any); return err }
func parseAny(text string) error    { _, err := general.Parse(text, general.Any); return err }
func parseToken(text string) error  { _, err := macaroon.Parse(text); return err }

// members returns n members of a JSON object with distinct keys.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%07d":0`, i)
	}
	return b.String()
}
