package redis

import (
	"strconv"

	"github.com/onezone-go/onezone/caveat"
)

// shards is the number of shards. All data of a shard has the same hash tag, so
// that one script can change it atomically in a Cluster too: the records of the
// shard's subjects, their names and lists, the indexes of the shard, and its
// channel of changes. The number must never change, because it determines the
// keys.
const shards = 64

// tags are the hash tags of the shards. They are spread evenly over the slots
// of clusters with three, four or eight masters, and almost evenly over others.
var tags = func() (tags [shards]string) {
	for i := range tags {
		tags[i] = "s" + strconv.Itoa(i)
	}
	return tags
}()

// tagOf returns the hash tag of the text's shard.
func tagOf(text string) string { return tags[crc16(text)%shards] }

// slotOf returns the slot of Redis Cluster for keys with the hash tag.
func slotOf(tag string) int64 { return int64(crc16(tag) % 16384) }

// crc16 is the checksum with which Redis Cluster computes slots: CRC-16/XMODEM,
// with the polynomial 0x1021.
func crc16(text string) (sum uint16) {
	for i := range len(text) {
		sum = sum<<8 ^ crcTable[byte(sum>>8)^text[i]]
	}
	return sum
}

// crcTable contains the checksum of each byte.
var crcTable = func() (table [256]uint16) {
	for i := range table {
		sum := uint16(i) << 8
		for range 8 {
			carry := sum >> 15
			sum = sum<<1 ^ carry*0x1021
		}
		table[i] = sum
	}
	return table
}()

// The kinds of keys. A key consists of kind, tag and the id of its record.
const (
	// Records.
	tokenKind     = "t" // of a named token, by id, in the shard of its subject
	identityKind  = "i" // by subject
	temporaryKind = "s" // by subject

	// Pointers to the shard of a record and uses, in a shard of their own.
	tokenPointer    = "p" // by token id
	usernamePointer = "u" // by user name
	useKind         = "w" // hash of the last use of a token, by token id
	fenceKind       = "f" // prevents a claim of a pointer, in the shard that the pointer led to

	// Indexes, in the shard of the subject.
	namesKind       = "n" // hash of a subject: name of a token to its id
	listKind        = "l" // sorted set of a subject: its tokens by age
	mintedKind      = "m" // sorted set of the shard and a parent: tokens minted with it, by age
	allTokens       = "T" // sorted set of the shard: tokens by age
	allIdentities   = "I" // sorted set of the shard: subjects with an identity
	allTemporaries  = "S" // sorted set of the shard: subjects with a temporary secret
	allUses         = "W" // sorted set of the shard: ids of the tokens whose use is in it
	changesOfShards = "c" // channel of the shard
)

func (s *Store) key(kind, tag, of string) string { return s.o.Prefix + kind + "{" + tag + "}" + of }

func (s *Store) tokenKey(subject caveat.Subject, id string) string {
	return s.key(tokenKind, tagOf(subject.String()), id)
}

// subjectKey returns the key of the kind for the subject, in its shard.
func (s *Store) subjectKey(kind string, subject caveat.Subject) string {
	text := subject.String()
	return s.key(kind, tagOf(text), text)
}

// indexKey returns the key of the index in the shard of the subject.
func (s *Store) indexKey(kind string, subject caveat.Subject) string {
	return s.key(kind, tagOf(subject.String()), "")
}

// pointerKey returns the key of the pointer for the token id or user name.
func (s *Store) pointerKey(kind, text string) string { return s.key(kind, tagOf(text), text) }
