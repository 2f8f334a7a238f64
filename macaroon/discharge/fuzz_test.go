package discharge_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	// The reference implementation in Go, an oracle.
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// FuzzVerify compares with gopkg.in/macaroon.v2: both accept the same macaroons
// with the same discharges, and find the same conditions. The input is a program
// for the maker.
func FuzzVerify(f *testing.F) {
	accepted := 0
	seeds := []string{
		"", "s", "W", "a", "a|", "b|", "ab|a|", "sab|s|ss", "ab|b|", "ab||", "a|U", "a|O", "a|K", "aa|", "aa||Ia",
		"a|a", "aN|", "a|c||", "a|b|a", "a|F\x23", "F\x45a|", "V\x05|", "V\x47|", "V\x48|", "V\x49|", "abs|sc|b|s", "a|b|U", "aW|",
		"a|b|c|d|", "a|s|Ia", "sss", "a|Ib", "a||", "a|sU", "a|sOs",
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
		if judge(f, []byte(seed)) {
			accepted++
		}
	}
	if accepted < 8 || accepted > len(seeds)-8 {
		f.Fatalf("%d of %d seeds are accepted", accepted, len(seeds))
	}
	f.Fuzz(func(t *testing.T, program []byte) { judge(t, program) })
}

// judge runs a program, and reports whether both accept what it makes.
func judge(tb testing.TB, program []byte) bool {
	tb.Helper()
	m := maker{TB: tb}
	m.run(program)
	var their []*macaroonv2.Macaroon
	for _, d := range m.discharges {
		their = append(their, reference(tb, d))
	}
	conditions, theirErr := reference(tb, m.root).VerifySignature([]byte(m.key.Reveal()), their)
	list, err := discharge.Verify(tb.Context(), m.root, m.key, caveat.Request{Vocabulary: vocabulary}, m.discharges...)
	if (err == nil) != (theirErr == nil) {
		tb.Fatalf("%q: here %v, macaroon.v2 %v", program, err, theirErr)
	}
	if err == nil && !slices.Equal(conditions, list.Texts()) {
		tb.Fatalf("%q: here %q, macaroon.v2 %q", program, list.Texts(), conditions)
	}
	return err == nil
}

// reference returns the macaroon as a value of macaroon.v2.
func reference(tb testing.TB, m general.Macaroon) *macaroonv2.Macaroon {
	tb.Helper()
	text, err := m.Encode(general.V2)
	require.NoError(tb, err)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(tb, err)
	var their macaroonv2.Macaroon
	require.NoError(tb, their.UnmarshalBinary(raw))
	return &their
}

// maker makes a macaroon and its discharges.
type maker struct {
	testing.TB
	root       general.Macaroon
	discharges []general.Macaroon
	key        store.Secret // with which the root is verified
}

// run runs a program. Its parts, separated by '|', make the root macaroon and the
// discharges of the caveats a, b, c... in this order. The letters of a part:
//
//	a to h  adds the third-party caveat of this name
//	s       adds a first-party caveat
//	V and n adds a third-party caveat whose verification id is cut or extended to n bytes
//	I and x sets the identifier of a discharge
//	K       signs with another key
//	U, O    leaves a discharge unbound, or binds it to another macaroon
//	F and n changes a bit of the macaroon, if it can still be read
//	W       verifies the root with another key
func (m *maker) run(program []byte) {
	m.key = keyOf("root")
	for i, part := range bytes.SplitN(program, []byte("|"), discharge.DefaultMaxDischarges) {
		p := reader(part)
		identifier := string(rune('a' + i - 1))
		if i == 0 {
			identifier = "root"
		}
		m.add(&p, i == 0, identifier)
	}
}

// reader reads the letters of a part.
type reader []byte

// next returns the next letter, 0 at the end.
func (r *reader) next() (letter byte) {
	if len(*r) > 0 {
		letter, *r = (*r)[0], (*r)[1:]
	}
	return letter
}

// add makes one macaroon.
func (m *maker) add(part *reader, isRoot bool, identifier string) {
	key, to, flipped := keyOf(identifier), m.root, -1
	made := macaroonOf(m, identifier, key)
	for len(*part) > 0 {
		switch letter := part.next(); letter {
		case 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h':
			made = needs(m, made, string(letter))
		case 's':
			made = confined(m, made, fmt.Sprint("step = ", len(*part)))
		case 'V':
			made = m.addCut(made, int(part.next()))
		case 'I':
			identifier = string(rune(part.next()))
			made = macaroonOf(m, identifier, keyOf(identifier))
		case 'K':
			made = macaroonOf(m, identifier, keyOf("another"))
		case 'U':
			to = general.Macaroon{}
		case 'O':
			to = macaroonOf(m, "other", key)
		case 'F':
			flipped = int(part.next())
		case 'W':
			m.key = keyOf("another")
		}
	}
	if !isRoot && !to.IsZero() {
		made = bind(m, to, made)[0]
	}
	if made = m.flip(made, flipped); isRoot {
		m.root = made
	} else {
		m.discharges = append(m.discharges, made)
	}
}

// addCut adds the third-party caveat a, with a verification id of the size.
func (m *maker) addCut(made general.Macaroon, size int) general.Macaroon {
	added := needs(m, made, "a").Caveats()
	c := added[len(added)-1]
	vid := append([]byte(c.VerificationID), make([]byte, 256)...)[:max(size, 1)]
	made, err := made.AddThirdParty(general.Caveat{Text: c.Text, VerificationID: string(vid)})
	require.NoError(m, err)
	return made
}

// flip returns the macaroon with a bit changed, or the macaroon itself if that is
// none.
func (m *maker) flip(made general.Macaroon, bit int) general.Macaroon {
	if bit < 0 {
		return made
	}
	text, err := made.Encode(general.V2)
	require.NoError(m, err)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(m, err)
	at := bit * 8 % (len(raw) * 8)
	raw[at/8] ^= 1 << (bit % 8)
	changed, err := general.Parse(base64.RawURLEncoding.EncodeToString(raw), general.V2)
	if err != nil {
		return made
	}
	return changed
}
