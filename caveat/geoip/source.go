package geoip

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// maxFile is the maximum size of a file, in bytes.
const maxFile = 1 << 30

// source is one file and what was loaded from it. Files are read into memory: one
// that is overwritten in place would otherwise change under the look-ups.
type source struct {
	path    string
	content content
	stop    <-chan struct{}
	current atomic.Pointer[maxminddb.Reader]

	mu   sync.Mutex  // serializes refresh
	seen fs.FileInfo // of the file that was read last; nil: it could not be read
	err  error       // why that file is not used
}

// openSource loads a file.
func openSource(path string, stop <-chan struct{}) (*source, error) {
	s := &source{path: path, stop: stop}
	if _, err := s.refresh(); err != nil {
		return nil, err
	}
	return s, nil
}

// lookup decodes the record of the address. An address without a
// record leaves the value unchanged.
func (s *source) lookup(ip netip.Addr, record any) error {
	if err := s.current.Load().Lookup(ip.Unmap()).Decode(record); err != nil {
		return fmt.Errorf("reading the geo database %s: %w", s.path, err)
	}
	return nil
}

func (s *source) unknown(ip netip.Addr) error {
	return fmt.Errorf("the geo database %s does not know the %v of %v", s.path, s.content, ip)
}

// refresh loads the file if it has changed since it was read last. news reports
// whether it was loaded, or cannot be used for a reason not returned before. err
// is that reason, also as long as nothing changes.
func (s *source) refresh() (news bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path)
	if err == nil && s.seen != nil && unchanged(s.seen, info) {
		return false, s.err
	}
	var reader *maxminddb.Reader
	if err == nil {
		reader, info, err = s.load()
	}
	if err == nil {
		s.current.Store(reader)
		s.seen, s.err = info, nil
		return true, nil
	}
	err = fmt.Errorf("loading %s: %w", s.path, err)
	if errors.Is(err, errStopped) {
		return false, err
	}
	news = info != nil || s.err == nil || s.err.Error() != err.Error()
	s.seen, s.err = info, err
	return news, err
}

func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// load reads and checks the file, which must have the same content as the first
// one. info is nil if the file could not be read, and may be readable later
// without having changed.
func (s *source) load() (reader *maxminddb.Reader, info fs.FileInfo, err error) {
	bytes, info, err := readFile(s.path)
	if err != nil {
		return nil, info, err
	}
	reader, c, err := parse(bytes, s.stop)
	if err == nil && s.content != 0 && c != s.content {
		err = fmt.Errorf("the new file has %v instead of %v", c, s.content)
	}
	if s.content == 0 {
		s.content = c
	}
	return reader, info, err
}

var errWhileWritten = errors.New("the file changed while it was read")

// readFile returns the content of a file, and its state before and after. The
// state is nil if the file could not be read.
func readFile(path string) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular(): // opening a pipe would wait for a writer
		return nil, info, errors.New("it is not a regular file")
	case info.Size() > maxFile:
		return nil, info, fmt.Errorf("it has %d bytes, and may have %d", info.Size(), maxFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	content := make([]byte, info.Size())
	if _, err := io.ReadFull(f, content); err != nil {
		return nil, info, errWhileWritten
	}
	if after, err := f.Stat(); err != nil || !unchanged(info, after) {
		return nil, info, errWhileWritten
	}
	return content, info, nil
}

// built returns when the loaded file was made.
func (s *source) built() time.Time { return s.current.Load().Metadata.BuildTime().UTC() }
