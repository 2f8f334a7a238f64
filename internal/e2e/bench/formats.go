package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"testing"

	"gopkg.in/macaroon.v2" // the usual macaroon library for Go

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// formats returns the benchmarks of reading a macaroon in version 2 from base64,
// with the same content as the tokens of the other benchmarks, and of reading
// bundles.
func formats() []contender {
	m, err := workload.macaroonV2()
	must(err)
	token, err := m.MarshalBinary()
	must(err)
	read, err := general.Parse(base64.RawURLEncoding.EncodeToString(token), general.V1)
	must(err)
	text, err := read.Encode(general.V2)
	must(err)
	key := store.NewSecret(workload.secret)
	keys := func(context.Context, general.Macaroon) (store.Secret, error) { return key, nil }
	verifier, err := general.NewVerifier(keys, general.Options{Formats: general.V2})
	must(err)
	req := caveat.Request{Now: noon(), IP: request.from, Interface: caveat.REST}
	return append(bundles(), []contender{
		{"general/seen", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := verifier.Verify(b.Context(), text, req); err != nil {
					b.Fatal(err)
				}
			}
		}},
		{"general/first", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m, err := general.Parse(text, general.V2)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := m.Verify(b.Context(), key, req); err != nil {
					b.Fatal(err)
				}
			}
		}},
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
	}...)
}

// bundles returns the benchmarks of parsing bundles of growing size. Each of
// the macaroons but the last needs the next as its discharge.
func bundles() (cs []contender) {
	for _, n := range []int{1, 10, 100} {
		list := make([]general.Macaroon, n)
		for i := range list {
			m, err := macaroon.New([]byte("a root key"), fmt.Appendf(nil, "macaroon %3d", i), "https://login.example.org", macaroon.V2)
			must(err)
			must(m.AddThirdPartyCaveat([]byte("another"), fmt.Appendf(nil, "macaroon %3d", i+1), m.Location()))
			raw, err := m.MarshalBinary()
			must(err)
			list[i], err = general.Parse(base64.RawURLEncoding.EncodeToString(raw), general.V2)
			must(err)
		}
		bundle, err := general.NewBundle(general.V2, list...)
		must(err)
		header, err := bundle.Header("")
		must(err)
		cs = append(cs, contender{"bundle/" + strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := general.ParseBundle(header, general.V2); err != nil {
					b.Fatal(err)
				}
			}
		}})
	}
	return cs
}
