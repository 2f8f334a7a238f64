package sqlite_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/sqlite"
)

// filesOf returns the content of the file of a store and of the files next to
// it.
func filesOf(t *testing.T, path string) []byte {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		content, err := os.ReadFile(path + suffix)
		if !os.IsNotExist(err) {
			require.NoError(t, err)
		}
		all = append(all, content...)
	}
	return all
}

// legible counts the secrets that appear in the files, in full or without their
// first bytes, because a remnant of a page may begin anywhere.
func legible(files []byte, secrets []string) (n int) {
	for _, secret := range secrets {
		if bytes.Contains(files, []byte(secret)) || bytes.Contains(files, []byte(secret[len(secret)/2:])) {
			n++
		}
	}
	return n
}

// randomSecrets returns n secrets like those of an authority.
func randomSecrets(n int) []string {
	secrets := make([]string, n)
	for i := range secrets {
		b := make([]byte, 32)
		rand.Read(b)
		secrets[i] = hex.EncodeToString(b)
	}
	return secrets
}

// writeSecrets writes the secrets into records of alternating kinds.
func writeSecrets(t *testing.T, s store.Store, secrets []string) {
	t.Helper()
	for i, secret := range secrets {
		subject := caveat.User(fmt.Sprint("user ", i))
		switch i % 3 {
		case 0:
			record := newToken(fmt.Sprint("id ", i))
			record.Secret = store.NewSecret(secret)
			require.NoError(t, second(s.CreateToken(t.Context(), record, 0)))
		case 1:
			_, err := s.EnsureTemporaryKey(t.Context(), subject, store.NewSecret(secret))
			require.NoError(t, err)
		default:
			require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{Subject: subject, Password: store.NewSecret(secret)}))
		}
	}
}

func sealKeys(t *testing.T) *seal.StaticKeys {
	t.Helper()
	keys, err := seal.NewStaticKeys(seal.Key{ID: "first", Material: store.NewSecret("01234567890123456789012345678901")})
	require.NoError(t, err)
	return keys
}

// TestNoSecretInClearIsLeftInTheFilesAfterAReseal converts a store that is in
// use by all its connections.
func TestNoSecretInClearIsLeftInTheFilesAfterAReseal(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{Synchronous: sqlite.Off})
	secrets := randomSecrets(200)
	writeSecrets(t, s, secrets)
	require.Equal(t, len(secrets), legible(filesOf(t, path), secrets), "the check does not find secrets in clear")

	sealed, err := seal.New(t.Context(), s, sealKeys(t), seal.Options{AllowPlaintext: true})
	require.NoError(t, err)
	done, err := sealed.Reseal(t.Context(), seal.ResealOptions{SealPlaintext: true})
	require.NoError(t, err)
	require.EqualValues(t, len(secrets), done.Resealed)
	require.Zero(t, legible(filesOf(t, path), secrets))
	record, err := sealed.GetToken(t.Context(), "id 0")
	require.NoError(t, err)
	require.Equal(t, secrets[0], record.Secret.Reveal())
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("new"), 0)))
}

// TestNothingDeletedIsLeftInTheFile checks that SQLite overwrites freed space.
func TestNothingDeletedIsLeftInTheFile(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{Synchronous: sqlite.Off})
	secrets := randomSecrets(200)
	writeSecrets(t, s, secrets)
	for i := range secrets {
		subject := caveat.User(fmt.Sprint("user ", i))
		switch i % 3 {
		case 0:
			require.NoError(t, s.DeleteToken(t.Context(), fmt.Sprint("id ", i)))
		case 1:
			require.NoError(t, s.DeleteTemporaryKey(t.Context(), subject))
		default:
			require.NoError(t, s.DeleteIdentity(t.Context(), subject))
		}
	}
	require.NoError(t, s.Close()) // which moves the log to the file
	require.Zero(t, legible(filesOf(t, path), secrets))
}

// TestScrubRemovesWhatOthersLeft uses a handle that does not overwrite deleted
// data, like earlier releases.
func TestScrubRemovesWhatOthersLeft(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	careless := newOver(t, newHandle(t, path, "_journal_mode", "WAL", "_synchronous", "OFF"), sqlite.Options{})
	secrets := randomSecrets(30)
	writeSecrets(t, careless, secrets)
	s := openAt(t, path, sqlite.Options{Synchronous: sqlite.Off})
	require.NoError(t, s.Scrub(t.Context()), "move all pages to the file")
	for i := range secrets {
		if i%3 == 0 {
			require.NoError(t, careless.DeleteToken(t.Context(), fmt.Sprint("id ", i)))
		}
	}
	require.NoError(t, s.Scrub(t.Context()))
	require.Equal(t, 20, legible(filesOf(t, path), secrets), "only existing secrets remain")
}

// TestScrubWaitsForReaders has another program read from the log.
func TestScrubWaitsForReaders(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{Synchronous: sqlite.Off, BusyTimeout: 50 * time.Millisecond})
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("a"), 0)))
	reader := newHandle(t, path)
	tx, err := reader.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var n int
	require.NoError(t, tx.QueryRow(`SELECT count(*) FROM onezone_tokens`).Scan(&n))
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	require.ErrorContains(t, s.Scrub(t.Context()), "call Scrub again")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Scrub(ctx), context.Canceled)
	require.NoError(t, tx.Rollback())
	require.NoError(t, s.Scrub(t.Context()))
	log, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	require.Zero(t, log.Size())
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Scrub(t.Context()), store.ErrClosed)
}

// TestScrubWorksOverAnyHandle uses handles of the caller.
func TestScrubWorksOverAnyHandle(t *testing.T) {
	t.Parallel()
	memory := newHandle(t, ":memory:")
	memory.SetMaxOpenConns(1)
	for name, s := range map[string]*sqlite.Store{
		"memory":  newOver(t, memory, sqlite.Options{}),
		"journal": newOver(t, newHandle(t, newPath(t)), sqlite.Options{}),
	} {
		require.NoError(t, second(s.CreateToken(t.Context(), newToken("a"), 0)), name)
		require.NoError(t, s.Scrub(t.Context()), name)
		_, err := s.GetToken(t.Context(), "a")
		require.NoError(t, err, name)
	}
}
