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

// A backup is a text of JSON lines: a header, the records in the order of a
// copy, and a trailer with their number and the SHA-256 of all lines before it.
const (
	backupFormat  = "onezone backup"
	backupVersion = 1
	maxBackupLine = 64 << 20 // bytes
)

type backupHeader struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
}

type backupTrailer struct {
	Records int64  `json:"records"`
	SHA256  string `json:"sha256"`
}

// ErrBackup is the error of a text that is not a complete backup. The error that
// wraps it says what is wrong.
var ErrBackup = errors.New("the backup cannot be used")

// Backup writes all records of the exporter to w, and a checksum. It returns
// their number. progress, if not nil, is called after each page.
//
// Secrets are written as the exporter returns them. Those of a backend under
// package seal stay sealed, and need its keys after [Restore]; others are in
// clear, so keep the backup as safe as the store. A backup is consistent if the
// exporter is that of a snapshot; otherwise it contains records as they were at
// different moments.
func Backup(ctx context.Context, w io.Writer, src store.Exporter, progress func(records int64)) (records int64, err error) {
	sum := sha256.New()
	out := bufio.NewWriter(w)
	line := json.NewEncoder(io.MultiWriter(out, sum))
	line.SetEscapeHTML(false)
	if err := line.Encode(backupHeader{backupFormat, backupVersion}); err != nil {
		return 0, fmt.Errorf("write a backup: %w", err)
	}
	for page, err := range Walk(ctx, src, Position{}, store.MaxPage) {
		if err != nil {
			return records, err
		}
		for _, r := range page.Records {
			if err := line.Encode(backupOf(r)); err != nil {
				return records, fmt.Errorf("write a backup: %w", err)
			}
			records++
		}
		if progress != nil {
			progress(records)
		}
	}
	err = json.NewEncoder(out).Encode(backupTrailer{records, hex.EncodeToString(sum.Sum(nil))})
	if err = errors.Join(err, out.Flush()); err != nil {
		return records, fmt.Errorf("write a backup: %w", err)
	}
	return records, nil
}

// CheckBackup reads a backup to its end and returns the number of its records.
// The error wraps [ErrBackup] if the text is damaged, incomplete or of a newer
// release; other errors are those of the reader.
func CheckBackup(r io.Reader) (records int64, err error) {
	err = readBackup(r, func(store.Record) error {
		records++
		return nil
	})
	return records, err
}

// Restore writes the records of a backup to dst and returns their number. It
// first reads the whole backup and compares the checksum, so that nothing is
// written from a damaged one. progress, if not nil, is called after each page.
//
// Errors:
//   - badData {key "dst"}: dst has records, and overwrite is false; or dst is
//     sealed and was opened without its key ring, and the backup is in clear
//   - [ErrBackup], wrapped: the backup is damaged, incomplete or of a newer
//     release
//   - badValueIdentifierOccupied: a name belongs to another record of dst
//   - operational errors; some records may then be written, and another call
//     with overwrite writes all of them
func Restore(ctx context.Context, dst store.Store, r io.ReadSeeker, overwrite bool,
	progress func(records int64),
) (records int64, err error) {
	if err := checkDestination(ctx, dst, overwrite); err != nil {
		return 0, err
	}
	if _, err := CheckBackup(r); err != nil {
		return 0, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return 0, fmt.Errorf("read a backup again: %w", err)
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
		if progress != nil {
			progress(records)
		}
		return nil
	}
	err = readBackup(r, func(record store.Record) error {
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

// readBackup calls add for each record of a backup, and compares the checksum
// at the end.
func readBackup(r io.Reader, add func(store.Record) error) error {
	lines := &backupLines{in: bufio.NewReader(r), sum: sha256.New()}
	text, err := lines.next()
	if err != nil {
		return err
	}
	var header backupHeader
	if json.Unmarshal(text, &header) != nil || header.Format != backupFormat {
		return fmt.Errorf("%w: the first line is not that of a backup", ErrBackup)
	}
	if header.Version != backupVersion {
		return fmt.Errorf("%w: it has version %d, but this release supports version %d: use a newer release",
			ErrBackup, header.Version, backupVersion)
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
			return nil, fmt.Errorf("read a backup: %w", err)
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
		return fmt.Errorf("read a backup: %w", err)
	}
}

// strictUnmarshal refuses unknown fields, which a newer release may write.
func strictUnmarshal(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
