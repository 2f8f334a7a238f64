package transfer_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

// backedUp returns a backup of the store.
func backedUp(t *testing.T, s store.Exporter) string {
	t.Helper()
	var text bytes.Buffer
	_, err := transfer.Backup(t.Context(), &text, s, transfer.BackupOptions{})
	require.NoError(t, err)
	return text.String()
}

func TestABackupRestoresEveryField(t *testing.T) {
	t.Parallel()
	src := filled(t, 250)
	require.NoError(t, src.CreateIdentity(t.Context(), store.Identity{Subject: caveat.Provider("p1"), Blocked: true}))
	require.NoError(t, src.Import(t.Context(), []store.Record{{Temporary: &store.Temporary{
		Subject: caveat.User("binary"), Secret: store.NewSecret("\x00ozseal\xff\xfe"), Generation: 7,
	}}}))
	var text bytes.Buffer
	var progress []int64
	n, err := transfer.Backup(t.Context(), &text, src, transfer.BackupOptions{
		Progress: func(records int64) { progress = append(progress, records) },
	})
	require.NoError(t, err)
	require.EqualValues(t, 752, n)
	require.EqualValues(t, 752, progress[len(progress)-1])

	backup, err := transfer.OpenBackup(t.Context(), bytes.NewReader(text.Bytes()), nil)
	require.NoError(t, err)
	require.EqualValues(t, 752, backup.Records())
	dst := memory.New()
	progress = nil
	n, err = backup.Restore(t.Context(), dst, transfer.RestoreOptions{Progress: func(records int64) { progress = append(progress, records) }})
	require.NoError(t, err)
	require.EqualValues(t, 752, n)
	require.EqualValues(t, 752, progress[len(progress)-1])
	require.Empty(t, differences(t, dst, src))
	require.Equal(t, text.String(), backedUp(t, dst), "a backup of the same records is the same text")
}

// restore opens a backup and restores it.
func restore(ctx context.Context, dst store.Store, text string, keys transfer.KeyRing, overwrite bool) error {
	backup, err := transfer.OpenBackup(ctx, strings.NewReader(text), keys)
	if err == nil {
		_, err = backup.Restore(ctx, dst, transfer.RestoreOptions{Overwrite: overwrite})
	}
	return err
}

// Whatever is changed, cut off or added is noticed before a record is written.
func TestADamagedBackupWritesNothing(t *testing.T) {
	t.Parallel()
	good := backedUp(t, filled(t, 2))
	lines := strings.SplitAfter(strings.TrimSuffix(good, "\n"), "\n")
	lines[len(lines)-1] += "\n"
	bad := map[string]string{
		"":                 "",
		"no lines":         "hello",
		"another":          "{}\n",
		"after":            good + "x",
		"twice":            good + good,
		"a newer release":  `{"format":"onezone backup","version":2}` + "\n" + strings.Join(lines[1:], ""),
		"an unknown field": strings.Replace(good, `{"identity":{`, `{"identity":{"x":1,`, 1),
		"two records":      strings.Replace(good, `{"identity":`, `{"temporary":{"subject":"usr-x","secret":"eA==","generation":1},"identity":`, 1),
	}
	for i := 1; i <= len(lines); i++ {
		if i < len(lines) {
			bad["cut before line "+lines[i]] = strings.Join(lines[:i], "")
		}
		bad["without line "+lines[i-1]] = strings.Join(lines[:i-1], "") + strings.Join(lines[i:], "")
	}
	for i := 0; i < len(good); i += 7 {
		changed := []byte(good)
		changed[i] ^= 1
		bad["changed at "+good[i:]] = string(changed)
	}
	for name, text := range bad {
		dst := memory.New()
		err := restore(t.Context(), dst, text, nil, false)
		require.ErrorIs(t, err, transfer.ErrBackup, name)
		require.NotContains(t, err.Error(), "hash 0", name)
		records, _, err := dst.Export(t.Context(), store.IdentityRecords, "", 1)
		require.NoError(t, err)
		require.Empty(t, records, name)
	}
}

// The end of a large backup is read before the first record is written.
func TestADamageAtTheEndOfALargeBackupWritesNothing(t *testing.T) {
	t.Parallel()
	text := strings.TrimSuffix(backedUp(t, filled(t, 500)), "\n")
	dst := memory.New()
	err := restore(t.Context(), dst, text[:len(text)-3]+"0\"}\n", nil, false)
	require.ErrorIs(t, err, transfer.ErrBackup)
	require.Empty(t, differences(t, dst, memory.New()))
}

func TestABackupIsRestoredToAnEmptyStore(t *testing.T) {
	t.Parallel()
	text := backedUp(t, filled(t, 3))
	dst := filled(t, 1)
	require.NoError(t, dst.UpdateIdentity(t.Context(), caveat.User("u0"), func(i *store.Identity) error {
		i.FullName = "changed"
		return nil
	}))
	err := restore(t.Context(), dst, text, nil, false)
	require.ErrorIs(t, err, errors.IDBadData)
	require.NotEmpty(t, differences(t, dst, filled(t, 3)))
	err = restore(t.Context(), dst, text, nil, true)
	require.NoError(t, err)
	require.Empty(t, differences(t, dst, filled(t, 3)))
}

func TestABackupInClearIsNotRestoredToASealedStore(t *testing.T) {
	t.Parallel()
	dst := memory.New()
	keys, err := seal.NewStaticKeys(seal.Key{ID: "k", Material: store.NewSecret(strings.Repeat("k", 32))})
	require.NoError(t, err)
	sealed, err := seal.New(t.Context(), dst, keys, seal.Options{})
	require.NoError(t, err)
	err = restore(t.Context(), dst, backedUp(t, filled(t, 1)), nil, true)
	require.ErrorIs(t, err, errors.IDBadData)
	require.ErrorContains(t, err, "key ring")

	// A backup of the backend stays sealed, and opens with the same keys.
	require.NoError(t, sealed.CreateIdentity(t.Context(), store.Identity{Subject: caveat.User("u1"), Password: store.NewSecret("hash 1")}))
	text := backedUp(t, dst)
	require.NotContains(t, text, base64.StdEncoding.EncodeToString([]byte("hash 1")))
	other := memory.New()
	err = restore(t.Context(), other, text, nil, false)
	require.NoError(t, err)
	opened, err := seal.New(t.Context(), other, keys, seal.Options{})
	require.NoError(t, err)
	i, err := opened.GetIdentity(t.Context(), caveat.User("u1"))
	require.NoError(t, err)
	require.Equal(t, "hash 1", i.Password.Reveal())
}

// full is a writer that fails after some bytes.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestBackupsReturnErrorsOfTheStreamAndTheStore(t *testing.T) {
	t.Parallel()
	_, err := transfer.Backup(t.Context(), &full{100}, filled(t, 3), transfer.BackupOptions{})
	require.ErrorIs(t, err, errDisk)
	_, err = transfer.Backup(t.Context(), &full{1 << 20}, &interrupted{Store: filled(t, 1), failAt: 1}, transfer.BackupOptions{})
	require.ErrorContains(t, err, errDisk.Error())
	err = restore(t.Context(), &interrupted{Store: memory.New(), failAt: 1}, backedUp(t, filled(t, 1)), nil, true)
	require.ErrorContains(t, err, errDisk.Error())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = transfer.Backup(ctx, &full{1 << 20}, filled(t, 1), transfer.BackupOptions{})
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, errors.Is(err, transfer.ErrBackup))
}
