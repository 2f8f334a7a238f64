package general_test

import (
	"encoding/json"
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
