package transfer

import (
	"bufio"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// KeyRing encrypts the data key of a backup. Every key ring of package seal is
// one; its interface describes the methods.
type KeyRing interface {
	Wrap(ctx context.Context, key, additional []byte) (keyID string, wrapped []byte, err error)
	Unwrap(ctx context.Context, keyID string, wrapped, additional []byte) (key []byte, err error)
}

// sealedHeader has the data key of a sealed backup.
type sealedHeader struct {
	KeyID string `json:"keyId"`
	Key   []byte `json:"key"`
}

const (
	backupKeySize   = 32    // bytes
	backupChunkSize = 65536 // bytes of a chunk before encryption
)

// backupKeyData is the additional data of the data key.
var backupKeyData = fmt.Appendf(nil, "%s %d", backupFormat, backupVersion)

// writeSealed writes the header of a sealed backup, and encrypts what write
// writes.
func writeSealed(ctx context.Context, w io.Writer, keys KeyRing, write func(io.Writer) (int64, error)) (int64, error) {
	key := make([]byte, backupKeySize)
	defer clear(key)
	rand.Read(key) // never fails
	keyID, wrapped, err := keys.Wrap(ctx, key, backupKeyData)
	if err != nil {
		return 0, fmt.Errorf("encrypt the key of a backup: %w", err)
	}
	header, err := json.Marshal(backupHeader{backupFormat, backupVersion, &sealedHeader{keyID, wrapped}})
	if err != nil {
		return 0, writing(err)
	}
	header = append(header, '\n')
	if _, err := w.Write(header); err != nil {
		return 0, writing(err)
	}
	c, err := newChunks(key, header)
	if err != nil {
		return 0, writing(err)
	}
	out := &chunkWriter{chunks: c, to: w}
	records, err := write(out)
	if err == nil {
		err = writing(out.end())
	}
	return records, err
}

// openSealed returns a reader of the backup in clear. line is that of the
// header.
func openSealed(ctx context.Context, in *bufio.Reader, keys KeyRing, header sealedHeader, line []byte) (io.Reader, error) {
	key, err := keys.Unwrap(ctx, header.KeyID, header.Key, backupKeyData)
	if err != nil {
		return nil, fmt.Errorf("decrypt the key of a backup with the key %q: %w", header.KeyID, err)
	}
	defer clear(key)
	c, err := newChunks(key, line)
	if err != nil {
		return nil, fmt.Errorf("decrypt a backup: %w", err)
	}
	return &chunkReader{chunks: c, in: in, sealed: make([]byte, backupChunkSize+c.cipher.Overhead())}, nil
}

// chunks encrypts and decrypts the chunks of one backup.
type chunks struct {
	cipher cipher.AEAD
	header []byte
	number uint64 // of the next chunk
}

func newChunks(key, header []byte) (chunks, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return chunks{}, err
	}
	gcm, err := cipher.NewGCM(block)
	return chunks{gcm, header, 0}, err
}

// nonce returns the nonce of the next chunk.
func (c *chunks) nonce(last bool) []byte {
	nonce := make([]byte, c.cipher.NonceSize())
	binary.BigEndian.PutUint64(nonce[3:], c.number)
	if last {
		nonce[11] = 1
	}
	c.number++
	return nonce
}

// chunkWriter encrypts.
type chunkWriter struct {
	chunks
	to    io.Writer
	plain []byte // of the next chunk
}

func (c *chunkWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if len(c.plain) == backupChunkSize {
			if err := c.flush(false); err != nil {
				return n, err
			}
		}
		part := p[n:min(len(p), n+backupChunkSize-len(c.plain))]
		c.plain = append(c.plain, part...)
		n += len(part)
	}
	return n, nil
}

// end writes the last chunk.
func (c *chunkWriter) end() error { return c.flush(true) }

func (c *chunkWriter) flush(last bool) error {
	_, err := c.to.Write(c.cipher.Seal(nil, c.nonce(last), c.plain, c.header))
	clear(c.plain)
	c.plain = c.plain[:0]
	return err
}

// chunkReader decrypts. It returns only bytes that were authenticated.
type chunkReader struct {
	chunks
	in     *bufio.Reader
	sealed []byte // buffer of a chunk
	plain  []byte // not read yet
	ended  bool
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.plain) == 0 {
		if c.ended {
			return 0, io.EOF
		}
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.plain)
	c.plain = c.plain[n:]
	return n, nil
}

// next decrypts the next chunk. A chunk is the last one if nothing follows it.
func (c *chunkReader) next() error {
	n, err := io.ReadFull(c.in, c.sealed)
	if err == nil {
		_, err = c.in.Peek(1)
	}
	switch err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		c.ended = true
	default:
		return err
	}
	number := c.number
	c.plain, err = c.cipher.Open(c.sealed[:0], c.nonce(c.ended), c.sealed[:n], c.header)
	if err != nil {
		return fmt.Errorf("%w: it was changed or cut off after the first %d bytes of its records", ErrBackup, number*backupChunkSize)
	}
	return nil
}
