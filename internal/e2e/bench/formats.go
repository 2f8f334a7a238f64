package main

import (
	"encoding/base64"
	"testing"

	"gopkg.in/macaroon.v2" // the usual macaroon library for Go

	"github.com/onezone-go/onezone/macaroon/general"
)

// formats returns the benchmarks of reading a macaroon in version 2 from base64,
// with the same content as the tokens of the other benchmarks.
func formats() []contender {
	m, err := workload.macaroonV2()
	must(err)
	token, err := m.MarshalBinary()
	must(err)
	read, err := general.Parse(base64.RawURLEncoding.EncodeToString(token), general.V1)
	must(err)
	text, err := read.Encode(general.V2)
	must(err)
	return []contender{
		{"v2/onezone", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := general.Parse(text, general.V2); err != nil {
					b.Fatal(err)
				}
			}
		}},
		{"v2/macaroon.v2", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				raw, err := macaroon.Base64Decode([]byte(text))
				if err != nil {
					b.Fatal(err)
				}
				var theirs macaroon.Macaroon
				if err := theirs.UnmarshalBinary(raw); err != nil {
					b.Fatal(err)
				}
			}
		}},
	}
}
