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
	"strings"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/sqlite"
	"github.com/onezone-go/onezone/store/transfer"
)

// backupResult is the output of the command backup.
type backupResult struct {
	Store   string `json:"store"`
	File    string `json:"file"`
	Records int64  `json:"records"`
	Sealed  bool   `json:"sealed"`  // the whole file is
	Secrets string `json:"secrets"` // sealed or clear
}

func (p *program) storeBackupCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "backup FILE", Short: "Write all records to a file with a checksum, while the service runs",
		Long: `Writes all records to a new file that only its owner can read. FILE may be - for
standard output. The service may run at the same time. "onezone store restore"
reads the file into a store of any kind.

With --seal-key-file, the whole file is encrypted, and a restore notices every
change; the keys are not in the file, so keep them, too. Without, everybody who
can read the file can read names, subjects and caveats, and the secrets, too,
unless the store is sealed. It then has a checksum against damage.

The backup is the state at one moment. SQLite makes a copy next to the database,
which is removed afterwards, so the disk must have room for it. The records of
Redis are read into memory, until none has changed during a reading.`,
		Example: `  onezone store backup --store sqlite:data/onezone.db --seal-key-file seal.key onezone.backup
  onezone store backup --store postgres://onezone@db/onezone - | ssh safe 'cat > onezone.backup'`,
		Args: arguments("FILE"),
	}
	return p.manages(c, storeTask{keepTables: true, do: func(ctx context.Context, b backend, args []string) error {
		records, err := p.backup(ctx, b, args[0])
		if err != nil {
			return fmt.Errorf("backing up --store %s: %w", storeName(b.settings.store), err)
		}
		result := backupResult{storeName(b.settings.store), args[0], records, b.settings.sealKeys != "", "clear"}
		advice := "the secrets are in clear, so keep it as safe as the store, or give --seal-key-file"
		if b.isSealed(ctx) {
			result.Secrets = "sealed"
			advice = "the secrets are sealed, so keep the seal keys, too; all else is in clear, unless you give --seal-key-file"
		}
		switch {
		case args[0] == "-":
			return nil
		case result.Sealed:
			advice = "it is sealed, so keep the seal keys, too"
		}
		return p.print(result, "wrote %d records to %s; %s", records, args[0], advice)
	}})
}

// backup writes a backup to the file, or to standard output for "-".
func (p *program) backup(ctx context.Context, b backend, file string) (records int64, err error) {
	var o transfer.BackupOptions
	if b.settings.sealKeys != "" {
		if o.Keys, err = b.settings.readSealKeys(); err != nil {
			return 0, err
		}
	}
	if file == "-" {
		return p.writeBackup(ctx, b, p.out, o)
	}
	err = writeNewFile(file, func(out io.Writer) (err error) {
		records, err = p.writeBackup(ctx, b, out, o)
		return err
	})
	return records, err
}

func (p *program) writeBackup(ctx context.Context, b backend, out io.Writer, o transfer.BackupOptions) (records int64, err error) {
	show, end := p.progress("backing up records")
	defer end()
	o.Progress = func(done int64) { show(done, 0) }
	err = b.snapshot(ctx, func(ctx context.Context, from store.Exporter) (err error) {
		records, err = transfer.Backup(ctx, out, from, o)
		return err
	})
	return records, err
}

func (b backend) isSealed(ctx context.Context) bool {
	return errors.Is(store.CheckSeal(ctx, b), store.ErrSealed)
}

// snapshotter is a store that can be read as it is at one moment.
type snapshotter interface {
	Snapshot(ctx context.Context, read func(context.Context, store.Exporter) error) error
}

var (
	_ snapshotter = (*postgres.Store)(nil)
	_ snapshotter = (*redis.Store)(nil)
)

// snapshot calls read with the records of one moment.
func (b backend) snapshot(ctx context.Context, read func(context.Context, store.Exporter) error) error {
	switch s := b.Store.(type) {
	case *sqlite.Store:
		return snapshotOfSQLite(ctx, s, strings.TrimPrefix(b.settings.store, "sqlite:"), read)
	case snapshotter:
		return s.Snapshot(ctx, read)
	}
	return fmt.Errorf("a store of type %T has no snapshots", b.Store)
}

// copyPrefix is the prefix of directories with a copy of a database.
const copyPrefix = ".onezone-backup-"

// snapshotOfSQLite calls read with the records of a copy next to the database.
// A long transaction would make the log of the database grow as long as the
// reader of a pipe is slow.
func snapshotOfSQLite(ctx context.Context, s *sqlite.Store, path string, read func(context.Context, store.Exporter) error) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), copyPrefix+"*") // mode 0700
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "copy.db")
	if err := s.Backup(ctx, file); err != nil {
		return err
	}
	copied, err := sqlite.Open(ctx, file, sqlite.Options{})
	if err != nil {
		return err
	}
	return errors.Join(read(ctx, copied), copied.Close())
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
