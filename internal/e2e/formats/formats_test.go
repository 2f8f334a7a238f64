//go:build e2e

// Package formats has pymacaroons and libmacaroons make, read, verify and confine
// macaroons in all formats that they know, together with macaroon/general.
package formats

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/python"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

const (
	location           = "https://photos.example.org"
	rootKey, memberKey = "the root key", "a key of 32 bytes for the member"
)

var key = store.NewSecret(rootKey)

// peer is another implementation, and the formats that it knows.
type peer struct {
	name, requirement string
	formats           []general.Format
}

var peers = []peer{
	{"pymacaroons", "import pymacaroons", []general.Format{general.V1, general.V2, general.V1JSON, general.V2JSON}},
	{"libmacaroons", `import ctypes; ctypes.CDLL("libmacaroons.so.0")`, []general.Format{general.V1}},
}

// trial is one peer with one format.
type trial struct {
	format     general.Format
	identifier string
	caveats    []string
	// hand hands JSON to the peer, and returns what it prints.
	hand func(input map[string]any) (string, error)
}

// forEach runs a test for each peer and format that it knows.
func forEach(t *testing.T, test func(t *testing.T, with trial)) {
	t.Helper()
	for _, p := range peers {
		for _, format := range p.formats {
			t.Run(p.name+"/"+format.String(), func(t *testing.T) {
				t.Parallel()
				interpreter := python.Interpreter(t, p.requirement)
				letter := "\u00e9"
				if p.name == "pymacaroons" && format == general.V1 {
					letter = "e" // it counts characters instead of bytes, so sizes of packets would be wrong
				}
				test(t, trial{
					format, "album 7 " + letter, []string{"user = alice", `path = "/a\b" ` + letter, "a line\nand another"},
					func(input map[string]any) (string, error) {
						input["format"] = format.String()
						return python.Run(t, interpreter, "testdata/"+p.name+"_peer.py", input)
					},
				})
			})
		}
	}
}

// request has a vocabulary with the caveats of the tests.
func request(t *testing.T) caveat.Request {
	t.Helper()
	var kinds []caveat.Kind
	for _, name := range []string{"user", "path", "group"} {
		kinds = append(kinds, caveat.Kind{
			Name:      name,
			Satisfied: func(context.Context, string, *caveat.Request) (bool, error) { return true, nil },
		})
	}
	vocabulary, err := caveat.NewVocabulary(kinds...)
	require.NoError(t, err)
	return caveat.Request{Vocabulary: vocabulary}
}

// The peer verifies and confines a macaroon of this project, which then verifies
// the result.
func TestOthersReadWhatIsPrintedHere(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, with trial) {
		made, err := general.New(location, with.identifier, key)
		require.NoError(t, err)
		made, err = made.Confine(with.caveats[:2]...)
		require.NoError(t, err)
		text, err := made.Encode(with.format)
		require.NoError(t, err)

		returned, err := with.hand(map[string]any{"macaroon": text, "key": rootKey, "caveat": "group = x"})
		require.NoError(t, err, returned)
		confined, err := general.Parse(returned, with.format)
		require.NoError(t, err, returned)
		want, err := made.Confine("group = x")
		require.NoError(t, err)
		requireSame(t, want, confined)
		list, err := confined.Verify(t.Context(), key, request(t))
		require.NoError(t, err)
		require.Equal(t, append(slices.Clone(with.caveats[:2]), "group = x"), list.Texts())

		said, err := with.hand(map[string]any{"macaroon": text, "key": "another key", "caveat": "x"})
		require.Error(t, err, "it is the key that it verifies with: %s", said)
	})
}

// The peer makes the same macaroon as this project.
func TestWhatOthersPrintIsReadHere(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, with trial) {
		text, err := with.hand(map[string]any{"location": location, "identifier": with.identifier, "caveats": with.caveats, "key": rootKey})
		require.NoError(t, err, text)
		read, err := general.Parse(text, with.format)
		require.NoError(t, err, text)
		want, err := general.New(location, with.identifier, key)
		require.NoError(t, err)
		want, err = want.Confine(with.caveats...)
		require.NoError(t, err)
		requireSame(t, want, read)

		_, err = read.Verify(t.Context(), store.NewSecret("another key"), request(t))
		require.ErrorIs(t, err, errors.IDTokenInvalid)
	})
}

// Third-party caveats survive all conversions: the peer that made the macaroon
// verifies it with its discharge afterwards.
func TestThirdPartyCaveatsSurviveConversions(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, with trial) {
		text, err := with.hand(map[string]any{
			"location": location, "identifier": "album 7", "caveats": []string{"user = alice"}, "key": rootKey, "member": memberKey,
		})
		require.NoError(t, err, text)
		read, err := general.Parse(text, with.format)
		require.NoError(t, err, text)
		require.Len(t, read.Caveats(), 2)
		require.False(t, read.Caveats()[0].IsThirdParty())
		require.True(t, read.Caveats()[1].IsThirdParty())
		require.Equal(t, "https://members.example.org", read.Caveats()[1].Location)
		for _, through := range []general.Format{general.Onezone, general.V1, general.V2, general.V1JSON, general.V2JSON} {
			converted, err := read.Encode(through)
			require.NoError(t, err)
			read, err = general.Parse(converted, through)
			require.NoError(t, err)
		}
		back, err := read.Encode(with.format)
		require.NoError(t, err)
		said, err := with.hand(map[string]any{"macaroon": back, "key": rootKey, "member": memberKey, "caveat": "group = x"})
		require.NoError(t, err, said)
	})
}

func requireSame(t *testing.T, want, got general.Macaroon) {
	t.Helper()
	a, err := want.Encode(general.V2)
	require.NoError(t, err)
	b, err := got.Encode(general.V2)
	require.NoError(t, err)
	require.Equal(t, a, b)
}
