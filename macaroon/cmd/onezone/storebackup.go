package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/transfer"
)

// backupResult is the output of the commands backup and restore.
type backupResult struct {
	Store   string `json:"store"`
	File    string `json:"file"`
	Records int64  `json:"records"`
	Sealed  bool   `json:"sealed"` // the secrets are
}

func (p *program) storeBackupCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "backup FILE", Short: "Write all records to a file with a checksum, while the service runs",
		Long: `Writes all records to a new file that only its owner can read, and a checksum.
FILE may be - for standard output. The service may run at the same time. From
SQLite and PostgreSQL, the backup is the state at one moment; from Redis, records
are as they were when they were read.

Secrets of a sealed store stay sealed and need its seal keys, which are not in the
backup. Those of a store in clear are sealed in the backup with --seal-key-file,
which takes memory for all records; without, they are in clear, so keep the file
as safe as the store. "onezone store restore" reads the file, into a store of any kind.`,
		Example: `  onezone store backup --store sqlite:data/onezone.db onezone.backup
  onezone store backup --store postgres://onezone@db/onezone - | gzip > onezone.backup.gz`,
		Args: arguments("FILE"),
	}
	jsonFlag(c, &asJSON)
	return p.manages(c, storeTask{keepTables: true, do: func(ctx context.Context, b backend, args []string) error {
		records, err := p.backup(ctx, b, args[0])
		if err != nil {
			return fmt.Errorf("backing up --store %s: %w", storeName(b.settings.store), err)
		}
		sealed := b.settings.sealKeys != "" || b.isSealed(ctx)
		switch {
		case args[0] == "-":
			return nil
		case asJSON:
			return p.printJSON(backupResult{storeName(b.settings.store), args[0], records, sealed})
		case sealed:
			return p.say("wrote %d records to %s; the secrets are sealed, so keep the seal keys, too", records, args[0])
		}
		return p.say("wrote %d records to %s; the secrets are in clear, so keep it as safe as the store", records, args[0])
	}})
}

// backup writes a backup to the file, or to standard output for "-".
func (p *program) backup(ctx context.Context, b backend, file string) (records int64, err error) {
	if file == "-" {
		return p.writeBackup(ctx, b, p.out)
	}
	err = writeNewFile(file, func(out io.Writer) (err error) {
		records, err = p.writeBackup(ctx, b, out)
		return err
	})
	return records, err
}

func (p *program) writeBackup(ctx context.Context, b backend, out io.Writer) (records int64, err error) {
	show, end := p.progress("backing up records")
	defer end()
	err = b.snapshot(ctx, func(ctx context.Context, from store.Exporter) (err error) {
		if b.settings.sealKeys != "" && !b.isSealed(ctx) {
			if from, err = b.settings.sealedCopy(ctx, from); err != nil {
				return err
			}
		}
		records, err = transfer.Backup(ctx, out, from, func(done int64) { show(done, 0) })
		return err
	})
	return records, err
}

func (b backend) isSealed(ctx context.Context) bool {
	return errors.Is(store.CheckSeal(ctx, b), store.ErrSealed)
}

// sealedCopy returns a copy of the records in memory, with their secrets sealed
// under the first key of the settings.
func (s settings) sealedCopy(ctx context.Context, from store.Exporter) (store.Exporter, error) {
	back := memory.New()
	sealed := &openedStore{front: back, back: back}
	if err := sealed.seal(ctx, s); err != nil {
		return nil, err
	}
	for page, err := range transfer.Walk(ctx, from, transfer.Position{}, store.MaxPage) {
		if err != nil {
			return nil, err
		}
		if err := sealed.front.Import(ctx, page.Records); err != nil {
			return nil, fmt.Errorf("sealing records: %w", err)
		}
	}
	return back, nil
}

// snapshot calls read with the records of one moment, if the store can do that.
func (b backend) snapshot(ctx context.Context, read func(context.Context, store.Exporter) error) error {
	inner := b.Store
	if d, ok := inner.(deadline); ok {
		inner = d.Store
	}
	if s, ok := inner.(interface {
		Snapshot(context.Context, func(context.Context, store.Exporter) error) error
	}); ok {
		return s.Snapshot(ctx, read)
	}
	return read(ctx, b)
}

// writeNewFile writes a file that only its owner can read. The file appears when
// it is complete and on the disk; an existing file is an error.
func writeNewFile(file string, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%s exists; choose another name", file))
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	out := bufio.NewWriterSize(f, 1<<16)
	if err := errors.Join(write(out), out.Flush(), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

func (p *program) storeRestoreCommand() *cobra.Command {
	var asJSON, overwrite bool
	c := &cobra.Command{
		Use: "restore FILE", Short: "Read a backup into an empty store",
		Long: `Reads a backup into a store of any kind. The checksum is compared before anything
is written. The store must be empty; --overwrite replaces records with the same
keys, and also finishes a restore that was interrupted. Stop the service before.

Secrets that are sealed in the backup stay sealed, and those in clear stay in
clear; --seal-key-file checks at the end that the keys fit.`,
		Example: `  onezone store restore --store sqlite:elsewhere/onezone.db onezone.backup
  onezone store restore --store postgres://onezone@db/onezone --seal-key-file seal.key onezone.backup`,
		Args: arguments("FILE"),
	}
	c.Flags().BoolVar(&overwrite, "overwrite", false, "write into a store that has records, and replace those with the same keys")
	jsonFlag(c, &asJSON)
	return p.manages(c, storeTask{do: func(ctx context.Context, b backend, args []string) error {
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.Seek(0, io.SeekCurrent); err != nil {
			return fmt.Errorf("%s is a stream, but a restore reads the backup twice; write it to a file first", args[0])
		}
		if b.settings.sealKeys != "" {
			if _, err := b.settings.readSealKeys(); err != nil {
				return err
			}
		}
		show, end := p.progress("restoring records")
		records, err := transfer.Restore(ctx, b, f, overwrite, func(done int64) { show(done, 0) })
		end()
		if err != nil {
			return restoreError(err, args[0], storeName(b.settings.store), records)
		}
		sealed := b.isSealed(ctx)
		if !sealed || b.settings.sealKeys != "" {
			opened := &openedStore{front: b, back: b}
			if err := opened.seal(ctx, b.settings); err != nil {
				return fmt.Errorf("restored %d records, but: %w", records, err)
			}
		}
		if asJSON {
			return p.printJSON(backupResult{storeName(b.settings.store), args[0], records, sealed})
		}
		return p.say("restored %d records to %s", records, storeName(b.settings.store))
	}})
}

func restoreError(err error, file, to string, records int64) error {
	if errors.Is(err, transfer.ErrBackup) {
		return fmt.Errorf("%s: %w", file, err)
	}
	if bad, ok := onezoneerrors.AsType[*onezoneerrors.Error](err); ok && records == 0 && bad.ID == onezoneerrors.IDBadData {
		return fmt.Errorf("restoring to %s: %v", to, bad.Details["hint"])
	}
	if records > 0 {
		return fmt.Errorf("restored %d records to %s, and then: %w; run again with --overwrite to finish", records, to, err)
	}
	return fmt.Errorf("restoring to %s: %w", to, err)
}
