package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

// restoreResult is the output of the command restore.
type restoreResult struct {
	Store   string `json:"store"`
	File    string `json:"file"`
	Records int64  `json:"records"`
	Sealed  bool   `json:"sealed"` // the secrets in the store are
}

func (p *program) storeRestoreCommand() *cobra.Command {
	var overwrite bool
	c := &cobra.Command{
		Use: "restore FILE", Short: "Read a backup into an empty store",
		Long: `Reads a backup into a store of any kind. The whole file is read and its checksum
compared before anything is written. The store must be empty; --overwrite
replaces records with the same keys, and also finishes a restore that was
interrupted. Stop the service before.

A sealed backup needs --seal-key-file with the key that it was sealed with. The
secrets are then sealed in the store, too, under the first key of the file, or
stay sealed as they were. With --seal-key-file, a backup in clear is refused,
because anyone who can write the file can have written it; if you trust it,
restore it with --seal-key-file="" and run "onezone store check".`,
		Example: `  onezone store restore --store sqlite:elsewhere/onezone.db onezone.backup
  onezone store restore --store postgres://onezone@db/onezone --seal-key-file seal.key onezone.backup`,
		Args: arguments("FILE"),
	}
	c.Flags().BoolVar(&overwrite, "overwrite", false, "write into a store that has records, and replace those with the same keys")
	// The file is checked before the store is created.
	return p.opensStore(c, func(ctx context.Context, s *settings, args []string) error {
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		backup, err := s.openBackup(ctx, f)
		if err != nil {
			return err
		}
		result := restoreResult{Store: storeName(s.store), File: args[0]}
		err = s.withBackend(ctx, func(b backend) (err error) {
			result.Records, err = p.restore(ctx, b, backup, overwrite)
			if err != nil {
				return restoreError(err, result)
			}
			result.Sealed = b.isSealed(ctx)
			return nil
		})
		if err != nil {
			return err
		}
		secrets := "in clear"
		if result.Sealed {
			secrets = "sealed, so the service needs the seal keys"
		}
		return p.print(result, "restored %d records to %s; the secrets are %s", result.Records, result.Store, secrets)
	})
}

// openBackup reads the file to its end. The error names it, and the flag to
// change.
func (s *settings) openBackup(ctx context.Context, f *os.File) (*transfer.BackupFile, error) {
	if _, err := f.Seek(0, io.SeekCurrent); err != nil {
		return nil, fmt.Errorf("%s is a stream, but a restore reads the backup twice; write it to a file first", f.Name())
	}
	var keys transfer.KeyRing
	if s.sealKeys != "" {
		ring, err := s.readSealKeys()
		if err != nil {
			return nil, err
		}
		keys = ring
	}
	backup, err := transfer.OpenBackup(ctx, f, keys)
	switch {
	case errors.Is(err, transfer.ErrBackupSealed):
		err = fmt.Errorf("%s needs --seal-key-file FILE: %w", f.Name(), err)
	case errors.Is(err, transfer.ErrBackupInClear):
		err = fmt.Errorf(`%s is not sealed, so anybody could have written it; if you trust it, restore it with --seal-key-file="" and run: onezone store check`,
			f.Name())
	case errors.Is(err, seal.ErrUnknownKey), errors.Is(err, seal.ErrCannotOpen):
		err = fmt.Errorf("--seal-key-file %s does not hold the key that %s is sealed with: %w", s.sealKeys, f.Name(), err)
	case err != nil:
		err = fmt.Errorf("%s: %w", f.Name(), err)
	}
	return backup, err
}

// restore writes the records of the backup to the store. With seal keys, it
// seals secrets in clear, and checks at the end that the keys open the store.
func (p *program) restore(ctx context.Context, b backend, backup *transfer.BackupFile, overwrite bool) (int64, error) {
	show, end := p.progress("restoring records")
	defer end()
	to := &openedStore{front: b, back: b}
	if b.settings.sealKeys != "" && !backup.HasSealedSecrets() {
		if err := to.seal(ctx, b.settings); err != nil {
			return 0, err
		}
	}
	o := transfer.RestoreOptions{Overwrite: overwrite, Progress: func(done int64) { show(done, backup.Records()) }}
	records, err := backup.Restore(ctx, to.front, o)
	if err == nil && b.settings.sealKeys != "" && backup.HasSealedSecrets() {
		err = to.seal(ctx, b.settings)
	}
	return records, err
}

func restoreError(err error, at restoreResult) error {
	if bad, ok := onezoneerrors.AsType[*onezoneerrors.Error](err); ok && at.Records == 0 && bad.ID == onezoneerrors.IDBadData {
		return fmt.Errorf("restoring to %s: %v", at.Store, bad.Details["hint"])
	}
	if at.Records > 0 {
		return fmt.Errorf("restored %d records to %s, and then: %w; run again with --overwrite to finish", at.Records, at.Store, err)
	}
	return fmt.Errorf("restoring to %s: %w", at.Store, err)
}
