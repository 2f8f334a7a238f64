package vectors

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
)

type numbered struct {
	N int `json:"n"`
}

func TestEachReadsEveryLine(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ONEZONE_VECTORS", dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.jsonl"), []byte("{\"n\":1}\n{\"n\":2}\n{\"n\":3}"), 0o600))
	var seen []int
	Each(t, "x.jsonl", func(_ *testing.T, v numbered) { seen = append(seen, v.N) })
	assert.Equal(t, []int{1, 2, 3}, seen)
}

func TestReadFailsWithoutAFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ONEZONE_VECTORS", dir)
	_, err := read("x.jsonl")
	assert.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.jsonl"), []byte("\n\n"), 0o600))
	_, err = read("x.jsonl")
	assert.ErrorContains(t, err, "x.jsonl is empty")
}

func TestTheVectorsOfTheProjectAreFound(t *testing.T) {
	t.Setenv("ONEZONE_VECTORS", "")
	here, err := read("geo.json")
	require.NoError(t, err)
	t.Setenv("ONEZONE_VECTORS", "testdata/vectors")
	there, err := read("geo.json")
	require.NoError(t, err)
	assert.Equal(t, here, there, "a relative directory is one of the module")

	t.Chdir(t.TempDir())
	_, err = read("geo.json")
	assert.ErrorContains(t, err, "no go.mod")
}

func TestDecodeIsStrict(t *testing.T) {
	var v numbered
	require.NoError(t, decode([]byte(` {"n":5} `), &v))
	assert.Equal(t, 5, v.N)
	for _, line := range []string{``, `{`, `{"n":5,"m":6}`, `{"n":5}{"n":6}`, `{"n":5}x`, `{"n":"5"}`} {
		assert.Error(t, decode([]byte(line), &v), line)
	}
}

func TestGeo(t *testing.T) {
	t.Setenv("ONEZONE_VECTORS", "")
	geo := Geo(t)
	for addr, want := range map[string]struct {
		asn   uint32
		place caveat.Place
	}{
		"1.2.3.4":   {8973, caveat.Place{Country: "PL", Continent: "EU", EU: true}},
		"8.8.8.8":   {15169, caveat.Place{Country: "US", Continent: "NA"}},
		"185.5.5.5": {559, caveat.Place{Country: "CH", Continent: "EU"}},
	} {
		ip := netip.MustParseAddr(addr)
		asn, err := geo.ASN(t.Context(), ip)
		require.NoError(t, err)
		assert.Equal(t, want.asn, asn)
		place, err := geo.Place(t.Context(), ip)
		require.NoError(t, err)
		assert.Equal(t, want.place, place)
	}
	_, err := geo.ASN(t.Context(), netip.MustParseAddr("9.9.9.9"))
	assert.Error(t, err)
	_, err = geo.Place(t.Context(), netip.MustParseAddr("9.9.9.9"))
	assert.Error(t, err)
}
