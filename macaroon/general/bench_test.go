package general_test

import (
	"testing"

	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/macaroon/general"
)

// The time for the text of a macaroon in V2 with three caveats, here and with
// gopkg.in/macaroon.v2.
func BenchmarkParseV2(b *testing.B) {
	m, err := general.New("https://photos.example.org", "album 7 of usr-alice", key)
	if err != nil {
		b.Fatal(err)
	}
	if m, err = m.Confine("time < 1700000000", "ip = 10.0.0.0/8", "interface = rest"); err != nil {
		b.Fatal(err)
	}
	text := encode(b, m, general.V2)
	b.Run("here", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := general.Parse(text, general.V2); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("macaroon.v2", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			raw, err := macaroonv2.Base64Decode([]byte(text))
			if err != nil {
				b.Fatal(err)
			}
			var theirs macaroonv2.Macaroon
			if err := theirs.UnmarshalBinary(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}
