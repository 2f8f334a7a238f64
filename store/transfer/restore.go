package transfer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// BackupFile is a backup that was read to its end and found complete.
type BackupFile struct {
	r       io.ReadSeeker
	keys    KeyRing
	records int64
	sealed  bool
}

// OpenBackup reads a backup to its end and compares the checksum, so that
// nothing is ever restored from a damaged one. keys are those of a sealed
// backup, and nil for one in clear. It does not close r.
//
// Errors, wrapped:
//   - [ErrBackup]: the file is damaged, incomplete, of a newer release or no
//     backup
//   - [ErrBackupSealed]: the backup is sealed, and keys is nil
//   - [ErrBackupInClear]: the backup is in clear, and keys is not nil, so
//     somebody may have replaced the sealed one
//   - errors of the keys, such as seal.ErrUnknownKey, and of r
func OpenBackup(ctx context.Context, r io.ReadSeeker, keys KeyRing) (*BackupFile, error) {
	b := &BackupFile{r: r, keys: keys}
	err := b.read(ctx, func(record store.Record) error {
		b.records++
		b.sealed = b.sealed || record.Secret().IsSealed()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Records returns the number of records.
func (b *BackupFile) Records() int64 { return b.records }

// HasSealedSecrets reports whether secrets of records are sealed, because the
// backup is one of a sealed store. Restore such a backup to a backend, not
// through package seal.
func (b *BackupFile) HasSealedSecrets() bool { return b.sealed }

// RestoreOptions configures [BackupFile.Restore].
type RestoreOptions struct {
	Overwrite bool                // replace records with the same keys
	Progress  func(records int64) // called after each page, if not nil
}

// Restore writes the records to dst and returns their number.
//
// Errors:
//   - badData {key "dst"}: dst has records, and Overwrite is false; or dst is
//     sealed and was opened without its key ring, and the secrets are in clear
//   - [ErrBackup], wrapped: the file has changed since it was opened
//   - badValueIdentifierOccupied: a name belongs to another record of dst
//   - operational errors; some records may then be written, and another call
//     with Overwrite writes all of them
func (b *BackupFile) Restore(ctx context.Context, dst store.Store, o RestoreOptions) (records int64, err error) {
	if err := checkDestination(ctx, dst, o.Overwrite); err != nil {
		return 0, err
	}
	to, err := newDestination(ctx, dst)
	if err != nil {
		return 0, err
	}
	page := make([]store.Record, 0, store.DefaultPage)
	flush := func() error {
		if err := to.write(ctx, page); err != nil {
			return err
		}
		records += int64(len(page))
		page = page[:0]
		if o.Progress != nil {
			o.Progress(records)
		}
		return nil
	}
	err = b.read(ctx, func(record store.Record) error {
		page = append(page, record)
		if len(page) == cap(page) {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return records, err
}

// checkDestination returns badData {key "dst"} for a store with records.
func checkDestination(ctx context.Context, dst store.Store, overwrite bool) error {
	if overwrite {
		return nil
	}
	for page, err := range Walk(ctx, dst, Position{}, 1) {
		if err != nil {
			return err
		}
		if len(page.Records) > 0 {
			return errors.BadDataHint("dst", "the destination has records: choose an empty store, or overwrite the records with the same keys")
		}
	}
	return nil
}

// read reads the file from its beginning and calls add for each record.
func (b *BackupFile) read(ctx context.Context, add func(store.Record) error) error {
	if _, err := b.r.Seek(0, io.SeekStart); err != nil {
		return reading(err)
	}
	in := bufio.NewReaderSize(b.r, maxBackupHeader)
	line, err := in.ReadSlice('\n')
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return reading(err)
	}
	header, err := parseHeader(line)
	switch {
	case err != nil:
		return err
	case header.Sealed == nil && b.keys != nil:
		return ErrBackupInClear
	case header.Sealed == nil:
		return readBackup(io.MultiReader(bytes.NewReader(bytes.Clone(line)), in), add)
	case b.keys == nil:
		return fmt.Errorf("%w: it needs the key %q", ErrBackupSealed, header.Sealed.KeyID)
	}
	plain, err := openSealed(ctx, in, b.keys, *header.Sealed, bytes.Clone(line))
	if err != nil {
		return err
	}
	return readBackup(plain, add)
}

func reading(err error) error {
	if err != nil && !errors.Is(err, ErrBackup) {
		err = fmt.Errorf("read a backup: %w", err)
	}
	return err
}

// parseHeader returns the header in the first line of a backup.
func parseHeader(line []byte) (header backupHeader, err error) {
	if json.Unmarshal(line, &header) != nil || header.Format != backupFormat {
		return header, fmt.Errorf("%w: the first line is not that of a backup", ErrBackup)
	}
	if header.Version != backupVersion {
		return header, fmt.Errorf("%w: it has version %d, but this release supports version %d: use a newer release",
			ErrBackup, header.Version, backupVersion)
	}
	return header, nil
}

// readBackup calls add for each record of a backup in clear, and compares the
// checksum at the end.
func readBackup(r io.Reader, add func(store.Record) error) error {
	lines := &backupLines{in: bufio.NewReader(r), sum: sha256.New()}
	text, err := lines.next()
	if err != nil {
		return err
	}
	if _, err := parseHeader(text); err != nil {
		return err
	}
	for records := int64(0); ; records++ {
		text, err := lines.next()
		if err != nil {
			return err
		}
		if bytes.HasPrefix(text, []byte(`{"records":`)) {
			return lines.end(text, records)
		}
		lines.sum.Write(text)
		record, err := parseBackup(text)
		if err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrBackup, lines.number, err)
		}
		if err := add(record); err != nil {
			return err
		}
	}
}

// backupLines reads the lines of a backup.
type backupLines struct {
	in     *bufio.Reader
	sum    hash.Hash // of the lines before the trailer
	number int
}

// next returns the next line, with the end of the line.
func (l *backupLines) next() ([]byte, error) {
	l.number++
	var line []byte
	for {
		part, err := l.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			if l.number == 1 {
				l.sum.Write(line)
			}
			return line, nil
		case err == io.EOF:
			return nil, fmt.Errorf("%w: it ends at line %d without a checksum, so it is incomplete", ErrBackup, l.number)
		case err != bufio.ErrBufferFull:
			return nil, reading(err)
		case len(line) > maxBackupLine:
			return nil, fmt.Errorf("%w: line %d is longer than %d bytes", ErrBackup, l.number, maxBackupLine)
		}
	}
}

// end compares the trailer.
func (l *backupLines) end(text []byte, records int64) error {
	var trailer backupTrailer
	switch {
	case strictUnmarshal(text, &trailer) != nil:
		return fmt.Errorf("%w: line %d is not a checksum", ErrBackup, l.number)
	case trailer.Records != records || trailer.SHA256 != hex.EncodeToString(l.sum.Sum(nil)):
		return fmt.Errorf("%w: the checksum differs, so it is damaged", ErrBackup)
	}
	switch _, err := l.in.Peek(1); err {
	case io.EOF:
		return nil
	case nil:
		return fmt.Errorf("%w: there is text after the checksum", ErrBackup)
	default:
		return reading(err)
	}
}

// strictUnmarshal refuses unknown fields, which a newer release may write.
func strictUnmarshal(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
