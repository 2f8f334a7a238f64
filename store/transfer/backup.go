package transfer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// The package documentation describes the format of backups.
const (
	backupFormat    = "onezone backup"
	backupVersion   = 1
	maxBackupHeader = 128 << 10 // bytes
	maxBackupLine   = 64 << 20  // bytes
)

type backupHeader struct {
	Format  string        `json:"format"`
	Version int           `json:"version"`
	Sealed  *sealedHeader `json:"sealed,omitempty"` // nil: in clear
}

type backupTrailer struct {
	Records int64  `json:"records"`
	SHA256  string `json:"sha256"`
}

// BackupOptions configures [Backup]. The zero value writes a backup in clear.
type BackupOptions struct {
	Keys     KeyRing             // seals the whole backup; nil: in clear
	Progress func(records int64) // called after each page, if not nil
}

// Backup writes all records of the exporter to w, and returns their number.
//
// With keys, the whole backup is encrypted, and [OpenBackup] notices every
// change. Without, everybody who can read it can read names, subjects, caveats
// and the secrets that the exporter returns in clear; those of a backend under
// package seal stay sealed, and need its keys after a restore.
//
// A backup is consistent if the exporter is that of a snapshot; otherwise it
// contains records as they were at different moments.
func Backup(ctx context.Context, w io.Writer, src store.Exporter, o BackupOptions) (records int64, err error) {
	out := bufio.NewWriter(w)
	if o.Keys == nil {
		records, err = writeBackup(ctx, out, src, o.Progress)
	} else {
		records, err = writeSealed(ctx, out, o.Keys, func(sealed io.Writer) (int64, error) {
			return writeBackup(ctx, sealed, src, o.Progress)
		})
	}
	if err == nil {
		err = writing(out.Flush())
	}
	return records, err
}

// writeBackup writes a backup in clear.
func writeBackup(ctx context.Context, w io.Writer, src store.Exporter, progress func(int64)) (records int64, err error) {
	sum := sha256.New()
	line := json.NewEncoder(io.MultiWriter(w, sum))
	line.SetEscapeHTML(false)
	if err := line.Encode(backupHeader{Format: backupFormat, Version: backupVersion}); err != nil {
		return 0, writing(err)
	}
	for page, err := range Walk(ctx, src, Position{}, store.MaxPage) {
		if err != nil {
			return records, err
		}
		for _, r := range page.Records {
			if err := line.Encode(backupOf(r)); err != nil {
				return records, writing(err)
			}
			records++
		}
		if progress != nil {
			progress(records)
		}
	}
	return records, writing(json.NewEncoder(w).Encode(backupTrailer{records, hex.EncodeToString(sum.Sum(nil))}))
}

func writing(err error) error {
	if err != nil {
		err = fmt.Errorf("write a backup: %w", err)
	}
	return err
}

// Errors of files that cannot be restored. The errors that wrap them say more.
var (
	// ErrBackup is the error of a file that is damaged, incomplete or no backup.
	ErrBackup = errors.New("the backup cannot be used")
	// ErrBackupSealed is the error of a sealed backup without keys.
	ErrBackupSealed = errors.New("the backup is sealed, and no keys were given")
	// ErrBackupInClear is the error of a backup in clear where a sealed one is
	// expected. Anyone who can write the file can have written it.
	ErrBackupInClear = errors.New("the backup is not sealed, but keys were given")
)
