package general_test

import (
	"encoding/json"
	"strings"
	"testing"

	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/macaroon/general"
)

// FuzzParse compares with gopkg.in/macaroon.v2: what is read here is read there,
// and as the same. It prints back as the same text, or in JSON as the same
// macaroon.
func FuzzParse(f *testing.F) {
	seeds := 0
	for name, m := range samples(f) {
		for _, format := range allFormats {
			if name != "long" && canHold(format, name) {
				f.Add(encode(f, m, format))
				seeds++
			}
		}
	}
	if seeds < 20 {
		f.Fatal("too few seeds")
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := general.Parse(text, general.Any)
		if err != nil {
			if !m.IsZero() {
				t.Fatalf("%q is refused, and yet gives %v", text, m)
			}
			return
		}
		again := encode(t, m, m.ReadAs())
		back, err := general.Parse(again, m.ReadAs())
		if err != nil {
			t.Fatalf("%q prints as %q, which is refused: %v", text, again, err)
		}
		requireSame(t, m, back)
		var theirs macaroonv2.Macaroon
		switch m.ReadAs() {
		case general.V1JSON, general.V2JSON:
			err = json.Unmarshal([]byte(text), &theirs)
		case general.V1, general.V2:
			var raw []byte
			if raw, err = macaroonv2.Base64Decode([]byte(text)); err == nil {
				if base64Of(raw) != again {
					t.Fatalf("%q has another binary form than %q", text, again)
				}
				err = theirs.UnmarshalBinary(raw)
			}
		default:
			if again != text {
				t.Fatalf("%q prints as %q", text, again)
			}
			return
		}
		if err != nil {
			t.Fatalf("macaroon.v2 does not read %q, which is accepted here: %v", text, err)
		}
		same(t, m, &theirs)
	})
}

func same(t *testing.T, m general.Macaroon, theirs *macaroonv2.Macaroon) {
	t.Helper()
	if m.Location() != theirs.Location() || m.Identifier() != string(theirs.Id()) || len(m.Caveats()) != len(theirs.Caveats()) {
		t.Fatalf("macaroon.v2 reads %q and %q with %d caveats", theirs.Location(), theirs.Id(), len(theirs.Caveats()))
	}
	for i, c := range theirs.Caveats() {
		if (m.Caveats()[i] != general.Caveat{Text: string(c.Id), VerificationID: string(c.VerificationId), Location: c.Location}) {
			t.Fatalf("macaroon.v2 reads caveat %d as %+v", i, c)
		}
	}
}

// FuzzBundle checks that a header that is read prints back as the same text,
// and that each macaroon has one place in the bundle.
func FuzzBundle(f *testing.F) {
	made := family(f)
	seeds := []string{
		header(f, bundleOf(f, made...)), header(f, bundleOf(f, made[0], made[1])), header(f, bundleOf(f, made[6])),
		header(f, chainOf(f, 5)), "Macaroon ", "Macaroon ,", "Bearer x",
	}
	for _, format := range []general.Format{general.Onezone, general.V1} {
		b, err := general.NewBundle(format, made[2:]...)
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, header(f, b))
	}
	read := 0
	for _, seed := range seeds {
		f.Add(seed)
		if _, err := general.ParseBundle(seed, general.Any); err == nil {
			read++
		}
	}
	if read < 6 {
		f.Fatal("too few seeds that are bundles")
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := general.ParseBundle(text, general.Any)
		if err != nil {
			if !b.IsZero() {
				t.Fatalf("%q is refused, and yet gives %v", text, b)
			}
			return
		}
		again := header(t, b)
		if again != "Macaroon"+text[len("Macaroon"):] {
			t.Fatalf("%q prints as %q", text, again)
		}
		placed := 0
		for _, e := range b.Entries() {
			placed += 1 + len(e.Discharges)
		}
		if placed != len(b.Macaroons()) || placed != strings.Count(text, ",")+1 {
			t.Fatalf("%q has %d macaroons, and %d places", text, len(b.Macaroons()), placed)
		}
		kept := b.Filter(func(m general.Macaroon) bool { return m.Location() != "" })
		if whole := b.Filter(func(general.Macaroon) bool { return true }); header(t, whole) != again {
			t.Fatalf("%q filters as %q", text, header(t, whole))
		}
		if !kept.IsZero() {
			if _, err := general.ParseBundle(header(t, kept), general.Any); err != nil {
				t.Fatalf("a part of %q is refused: %v", text, err)
			}
		}
	})
}
