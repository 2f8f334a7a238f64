package wire

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// write encodes a macaroon as packets.
func write(m Macaroon, signature string) string {
	raw, problem := Append(nil, &m, signature)
	if problem != none {
		panic(problem)
	}
	return string(raw)
}

// seeds are packets with which fuzzing starts.
func seeds() []string {
	signature := strings.Repeat("\xfb\xff\x00s", signatureSize/4)
	plain := write(Macaroon{Location: "onezone", Identifier: "2/nmd/usr-u1/act/id1", Caveats: []string{"time < 5", "a\nb", "\xff"}}, signature)
	third := write(Macaroon{
		Location: "l", Identifier: "i", Caveats: []string{"a", "b"}, ThirdParty: []ThirdParty{{Index: 1, Verification: "v", Location: "c"}},
	}, signature)
	return []string{
		"", "0000", plain, third, plain + "\n", plain[1:], third[:len(third)-1], strings.ToUpper(plain), strings.Replace(plain, "cid ", "cid", 1),
	}
}

func TestTheSeedsReachWhatIsFuzzed(t *testing.T) {
	t.Parallel()
	good := 0
	for _, raw := range seeds() {
		if _, problem := Parse(raw, nil, 100); problem == none {
			good++
		}
	}
	assert.Equal(t, 2, good)
}

// AppendPacket re-encodes everything that Parse accepts to the same bytes.
func FuzzWire(f *testing.F) {
	for _, raw := range seeds() {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if got, ok := decodeEscaped(Encode(raw)); !ok || got != raw {
			t.Fatalf("%q does not come back, but as %q", raw, got)
		}
		m, problem := Parse(raw, nil, 100)
		if problem != none {
			if m.Location != "" || m.Caveats != nil {
				t.Fatalf("%q is refused, and yet gives %+v", raw, m)
			}
			return
		}
		if back := write(m, Signature(raw)); back != raw {
			t.Fatalf("%q is read and written as %q", raw, back)
		}
		if !strings.HasPrefix(raw, Unsigned(raw)) || raw[len(Unsigned(raw)):] != string(AppendPacket(nil, "signature", Signature(raw))) {
			t.Fatalf("%q without its signature is %q", raw, Unsigned(raw))
		}
		// Its plain base64 is never mistaken for the escaped form.
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			if got, ok := Decode(e.EncodeToString([]byte(raw))); !ok || got != raw {
				t.Fatalf("the plain base64 of %q is read as %q", raw, got)
			}
		}
	})
}

// Every text decodes to at most one token, and every token has one escaped
// form.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "AAAA", "AA", "0001", "AA==", "A-_A", "A+/A", "MDAxNWxvY2F0aW9uIG9uZXpvbmUK"} {
		f.Add(s)
	}
	for _, raw := range seeds() {
		f.Add(Encode(raw))
		f.Add(base64.StdEncoding.EncodeToString([]byte(raw)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, ok := decodeEscaped(text)
		if ok && Encode(raw) != text {
			t.Fatalf("%q prints as %q", text, Encode(raw))
		}
		got, read := Decode(text)
		if ok && (!read || got != raw) {
			t.Fatalf("%q is read as %q rather than as %q", text, got, raw)
		}
		plain := strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
		if read && !ok && base64.RawURLEncoding.EncodeToString([]byte(got)) != plain {
			t.Fatalf("%q is read as %q", text, got)
		}
	})
}

// AppendVersion2 re-encodes everything that ParseVersion2 accepts to the same
// bytes.
func FuzzVersion2(f *testing.F) {
	signature := strings.Repeat("\xfb\xff\x00s", signatureSize/4)
	for _, m := range []Macaroon{
		{Location: "onezone", Identifier: "i", Caveats: []string{"time < 5", strings.Repeat("a", 300)}},
		{Identifier: "i", Caveats: []string{"a", "b"}, ThirdParty: []ThirdParty{{Index: 1, Verification: "v", Location: "c"}}},
		{Identifier: "i", Caveats: []string{"a"}, ThirdParty: []ThirdParty{{Verification: "v"}}},
	} {
		f.Add(string(AppendVersion2(nil, &m, signature)))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		m, signature, problem := ParseVersion2(raw, 100)
		if problem != none {
			if signature != "" || m.Identifier != "" || m.Caveats != nil {
				t.Fatalf("%q is refused, and yet gives %+v", raw, m)
			}
			return
		}
		if back := string(AppendVersion2(nil, &m, signature)); back != raw {
			t.Fatalf("%q is read and written as %q", raw, back)
		}
	})
}
