package main

import (
	"context"
	"encoding/base64"
	"testing"
	"time"

	"gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// discharges returns the benchmarks of verifying a macaroon with the content of
// the tokens of the other benchmarks and two third-party caveats. Its discharges
// have a time caveat each. Both libraries read the same texts.
func discharges() []contender {
	texts := dischargedTexts()
	return []contender{
		{"discharges/onezone", func(b *testing.B) {
			key := store.NewSecret(workload.secret)
			b.ReportAllocs()
			for b.Loop() {
				if err := verifyHere(texts, key, noon()); err != nil {
					b.Fatal(err)
				}
			}
		}},
		{"discharges/macaroon.v2", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := verifyThere(texts, []byte(workload.secret), noon()); err != nil {
					b.Fatal(err)
				}
			}
		}},
	}
}

// dischargedTexts returns the texts of the macaroon and its bound discharges.
func dischargedTexts() []string {
	root, err := workload.macaroonV2()
	must(err)
	all := []*macaroon.Macaroon{root}
	for _, member := range []string{"member of the first group", "member of the second group"} {
		must(root.AddThirdPartyCaveat([]byte(member), []byte(member), "https://groups.example.org"))
		d, err := macaroon.New([]byte(member), []byte(member), "https://groups.example.org", macaroon.V1)
		must(err)
		must(d.AddFirstPartyCaveat([]byte(workload.conditions()[0])))
		all = append(all, d)
	}
	texts := make([]string, len(all))
	for i, m := range all {
		if i > 0 {
			m.Bind(root.Signature())
		}
		raw, err := m.MarshalBinary()
		must(err)
		read, err := general.Parse(base64.RawURLEncoding.EncodeToString(raw), general.V1)
		must(err)
		texts[i], err = read.Encode(general.V2)
		must(err)
	}
	return texts
}

// verifyHere parses and verifies a macaroon and its discharges with this library.
func verifyHere(texts []string, key store.Secret, at time.Time) error {
	parsed := make([]general.Macaroon, len(texts))
	for i, text := range texts {
		var err error
		if parsed[i], err = general.Parse(text, general.V2); err != nil {
			return err
		}
	}
	req := caveat.Request{Now: at, IP: request.from, Interface: caveat.REST}
	_, err := discharge.Verify(context.Background(), parsed[0], key, req, parsed[1:]...)
	return err
}

// verifyThere does the same with gopkg.in/macaroon.v2.
func verifyThere(texts []string, key []byte, at time.Time) error {
	parsed := make([]*macaroon.Macaroon, len(texts))
	for i, text := range texts {
		raw, err := macaroon.Base64Decode([]byte(text))
		if err != nil {
			return err
		}
		parsed[i] = new(macaroon.Macaroon)
		if err := parsed[i].UnmarshalBinary(raw); err != nil {
			return err
		}
	}
	check := func(condition string) error { return checkCondition(condition, request, at) }
	return parsed[0].Verify(key, check, parsed[1:])
}
