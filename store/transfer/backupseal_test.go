package transfer_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

// ring returns a key ring. Each key is its id and the letter of its material.
func ring(t *testing.T, keys ...string) *seal.StaticKeys {
	t.Helper()
	all := make([]seal.Key, len(keys))
	for i, key := range keys {
		id, letter, _ := strings.Cut(key, " ")
		all[i] = seal.Key{ID: id, Material: store.NewSecret(strings.Repeat(letter, 32))}
	}
	r, err := seal.NewStaticKeys(all[0], all[1:]...)
	require.NoError(t, err)
	return r
}

func sealedBackup(t *testing.T, s store.Exporter, keys transfer.KeyRing) string {
	t.Helper()
	var text bytes.Buffer
	_, err := transfer.Backup(t.Context(), &text, s, transfer.BackupOptions{Keys: keys})
	require.NoError(t, err)
	return text.String()
}

// requireRefused asserts that nothing is restored, and returns the error.
func requireRefused(t *testing.T, text string, keys transfer.KeyRing, about ...any) error {
	t.Helper()
	dst := memory.New()
	err := restore(t.Context(), dst, text, keys, true)
	require.Error(t, err, about...)
	records, _, exportErr := dst.Export(t.Context(), store.IdentityRecords, "", 1)
	require.NoError(t, exportErr)
	require.Empty(t, records, about...)
	return err
}

// chunk is the size of an encrypted chunk in bytes.
const chunk = 65536 + 16

// parts returns the header of a sealed backup and its chunks.
func parts(text string) (header string, chunks []string) {
	header, rest, _ := strings.Cut(text, "\n")
	for part := range slices.Chunk([]byte(rest), chunk) {
		chunks = append(chunks, string(part))
	}
	return header + "\n", chunks
}

func TestASealedBackupHidesAllContent(t *testing.T) {
	t.Parallel()
	src, keys := filled(t, 3), ring(t, "2026 k")
	text := sealedBackup(t, src, keys)
	for line := range strings.Lines(backedUp(t, src)) {
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(`{}[]:," `+"\n", r) }) {
			if len(word) > 6 && word != "onezone" && word != "version" {
				require.NotContains(t, text, word)
			}
		}
	}
	dst := memory.New()
	require.NoError(t, restore(t.Context(), dst, text, keys, false))
	require.Empty(t, differences(t, dst, src))
	require.NotEqual(t, text, sealedBackup(t, src, keys), "each backup has a key of its own")

	rotated := ring(t, "2027 n", "2026 k")
	require.NoError(t, restore(t.Context(), memory.New(), text, rotated, false))
}

func TestEveryChangedByteOfASealedBackupIsNoticed(t *testing.T) {
	t.Parallel()
	keys := ring(t, "2026 k")
	good := sealedBackup(t, filled(t, 1), keys)
	for i := range len(good) {
		for _, bit := range []byte{1, 0x20, 0x80} {
			changed := []byte(good)
			changed[i] ^= bit
			requireRefused(t, string(changed), keys, "byte %d", i)
		}
		requireRefused(t, good[:i], keys, "cut at %d", i)
	}
	err := requireRefused(t, good+"\n", keys)
	require.ErrorIs(t, err, transfer.ErrBackup)
}

func TestChunksOfASealedBackupKeepTheirPlaces(t *testing.T) {
	t.Parallel()
	keys := ring(t, "2026 k")
	src := filled(t, 600)
	good := sealedBackup(t, src, keys)
	header, c := parts(good)
	require.GreaterOrEqual(t, len(c), 4)
	otherHeader, other := parts(sealedBackup(t, src, keys))
	for name, text := range map[string]string{
		"swapped":            header + c[1] + c[0] + strings.Join(c[2:], ""),
		"without the first":  header + strings.Join(c[1:], ""),
		"without a middle":   header + c[0] + strings.Join(c[2:], ""),
		"without the last":   header + strings.Join(c[:len(c)-1], ""),
		"without all":        header,
		"one twice":          header + c[0] + c[0] + strings.Join(c[1:], ""),
		"the last twice":     good + c[len(c)-1],
		"the last earlier":   header + c[0] + c[len(c)-1],
		"two backups":        good + good,
		"another's chunk":    header + c[0] + other[1] + strings.Join(c[2:], ""),
		"another's header":   otherHeader + strings.Join(c, ""),
		"without a byte":     good[:len(good)-1],
		"an encrypted tail":  header + strings.Join(c[:3], "")[:3*chunk-1],
		"the records alone":  strings.Join(c, ""),
		"a space in headers": strings.Replace(good, `{"format"`, `{ "format"`, 1),
	} {
		require.ErrorIs(t, requireRefused(t, text, keys, name), transfer.ErrBackup, name)
		if strings.HasPrefix(text, header) { // the chunks themselves are refused, not what is in them
			require.ErrorContains(t, requireRefused(t, text, keys, name), "it was changed or cut off after the first", name)
		}
	}
}

// The package documentation suffices to decrypt a backup.
func TestSealedBackupsHaveTheDocumentedFormat(t *testing.T) {
	t.Parallel()
	src, keys := filled(t, 300), ring(t, "2026 k")
	line, chunks := parts(sealedBackup(t, src, keys))
	require.Greater(t, len(chunks), 1)
	var header struct {
		Format  string
		Version int
		Sealed  struct {
			KeyID string
			Key   []byte
		}
	}
	require.NoError(t, json.Unmarshal([]byte(line), &header))
	require.Equal(t, []any{"onezone backup", 1, "2026"}, []any{header.Format, header.Version, header.Sealed.KeyID})
	key, err := keys.Unwrap(t.Context(), header.Sealed.KeyID, header.Sealed.Key, []byte("onezone backup 1"))
	require.NoError(t, err)
	require.Len(t, key, 32)
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	var text []byte
	for i, sealed := range chunks {
		nonce := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(i), 0}
		if i == len(chunks)-1 {
			nonce[11] = 1
		}
		text, err = gcm.Open(text, nonce, []byte(sealed), []byte(line))
		require.NoError(t, err)
	}
	require.Equal(t, backedUp(t, src), string(text))
}

// Backups end at every place in a chunk, also at its end.
func TestSealedBackupsOfAllLengthsAreRestored(t *testing.T) {
	t.Parallel()
	keys := ring(t, "2026 k")
	full := 0
	for n := range 3 {
		src := memory.New()
		require.NoError(t, src.Import(t.Context(), []store.Record{padding(0)}))
		pad := (n+1)*65536 - len(backedUp(t, src))
		for _, more := range []int{-1, 0, 1} {
			require.NoError(t, src.Import(t.Context(), []store.Record{padding(pad + more)}))
			text := sealedBackup(t, src, keys)
			if _, c := parts(text); len(c[len(c)-1]) == chunk {
				full++
			}
			dst := memory.New()
			require.NoError(t, restore(t.Context(), dst, text, keys, false), "%d", pad+more)
			require.Empty(t, differences(t, dst, src))
		}
	}
	require.Equal(t, 3, full, "backups whose last chunk is full")
}

// padding returns a record with n bytes to spare.
func padding(n int) store.Record {
	return store.Record{Token: &store.Token{
		ID: "a", Name: "a", Version: 2, Subject: caveat.User("a"), Type: "act", Secret: store.NewSecret("s"),
		Custom: []byte(`{"n":"` + strings.Repeat("n", n) + `"}`),
	}}
}

func TestSealedBackupsNeedTheirKeys(t *testing.T) {
	t.Parallel()
	src, keys := filled(t, 1), ring(t, "2026 k")
	sealed, plain := sealedBackup(t, src, keys), backedUp(t, src)
	err := requireRefused(t, sealed, nil)
	require.ErrorIs(t, err, transfer.ErrBackupSealed)
	require.ErrorContains(t, err, `it needs the key "2026"`)
	require.ErrorIs(t, requireRefused(t, sealed, ring(t, "2027 k")), seal.ErrUnknownKey)
	require.ErrorIs(t, requireRefused(t, sealed, ring(t, "2026 x")), seal.ErrCannotOpen)
	// Otherwise whoever can write the file could replace it.
	require.ErrorIs(t, requireRefused(t, plain, keys), transfer.ErrBackupInClear)
}

// brokenRing is a key management service that is down, or returns a wrong key.
type brokenRing struct {
	transfer.KeyRing
	err error
	key []byte
}

func (b brokenRing) Wrap(context.Context, []byte, []byte) (string, []byte, error) {
	return "", nil, b.err
}

func (b brokenRing) Unwrap(context.Context, string, []byte, []byte) ([]byte, error) {
	return b.key, b.err
}

func TestSealedBackupsReturnErrorsOfKeysAndStreams(t *testing.T) {
	t.Parallel()
	keys, down := ring(t, "2026 k"), errors.New("the service is down")
	_, err := transfer.Backup(t.Context(), io.Discard, filled(t, 1), transfer.BackupOptions{Keys: brokenRing{err: down}})
	require.ErrorIs(t, err, down)
	src := filled(t, 300)
	text := sealedBackup(t, src, keys)
	require.ErrorIs(t, requireRefused(t, text, brokenRing{err: down}), down)
	require.ErrorIs(t, requireRefused(t, text, brokenRing{key: make([]byte, 16)}), transfer.ErrBackup)
	for _, room := range []int{0, 10, 70_000, len(text) - 1} {
		_, err = transfer.Backup(t.Context(), &full{room}, src, transfer.BackupOptions{Keys: keys})
		require.ErrorIs(t, err, errDisk, "%d", room)
	}
	for _, good := range []int{0, 10, 70_000, len(text)} {
		failing := io.MultiReader(strings.NewReader(text[:good]), iotest.ErrReader(errDisk))
		_, err = transfer.OpenBackup(t.Context(), seeker{failing}, keys)
		require.ErrorIs(t, err, errDisk, "%d", good)
		require.NotErrorIs(t, err, transfer.ErrBackup)
	}
	_, err = transfer.OpenBackup(t.Context(), seeker{iotest.ErrReader(errDisk)}, nil)
	require.ErrorIs(t, err, errDisk)
}

// seeker is a stream that is only read once.
type seeker struct{ io.Reader }

func (seeker) Seek(int64, int) (int64, error) { return 0, nil }

func ExampleOpenBackup() {
	ctx := context.Background()
	keys, err := seal.NewStaticKeys(seal.Key{ID: "2026", Material: store.NewSecret(strings.Repeat("k", 32))})
	if err != nil {
		fmt.Println(err)
		return
	}
	src, dst := memory.New(), memory.New()
	if err := src.CreateIdentity(ctx, store.Identity{Subject: caveat.User("4a1f"), Username: "alice"}); err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	if _, err := transfer.Backup(ctx, &file, src, transfer.BackupOptions{Keys: keys}); err != nil {
		fmt.Println(err)
		return
	}

	backup, err := transfer.OpenBackup(ctx, bytes.NewReader(file.Bytes()), keys)
	if err != nil {
		fmt.Println(err)
		return
	}
	records, err := backup.Restore(ctx, dst, transfer.RestoreOptions{})
	fmt.Println("restored", records, "records", err)
	// Output: restored 1 records <nil>
}
