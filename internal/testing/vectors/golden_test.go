package vectors

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	golden "github.com/onezone-go/onezone/testdata/vectors"
)

// The embedded vectors are all files of the directory.
func TestEveryVectorIsEmbedded(t *testing.T) {
	t.Setenv("ONEZONE_VECTORS", "")
	dir, err := directory()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(dir, "*.json*"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 13)
	for _, file := range files {
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		got, err := golden.Files.ReadFile(filepath.Base(file))
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), file)
	}
}

func TestReadOfEmbeddedVectors(t *testing.T) {
	t.Parallel()
	verifications, err := golden.Read[golden.Verification]("verify.jsonl")
	require.NoError(t, err)
	require.Len(t, verifications, 400)
	require.Equal(t, 400, verifications[399].Case)
	_, err = golden.Read[golden.Verification]("missing.jsonl")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = golden.Read[golden.Offline]("verify.jsonl")
	require.ErrorContains(t, err, "line 1 of verify.jsonl")

	_, err = golden.ParseGeo([]byte(`{"1.2.3.4":{"asn":1,"country":"PL","regions":["Atlantis"]}}`))
	require.ErrorContains(t, err, "Atlantis")
	_, err = golden.ParseGeo([]byte(`{`))
	require.Error(t, err)
}
