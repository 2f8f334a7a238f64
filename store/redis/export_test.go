package redis

import (
	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/caveat"
)

// SetDefaults sets the timeouts and connections of [Open].
func SetDefaults(o *rueidis.ClientOption) { setDefaults(o) }

// RoleCheck is the interval of the role checks of a feed.
const RoleCheck = roleCheck

// Prefix returns the prefix of the store's keys.
func (s *Store) Prefix() string { return s.o.Prefix }

// KeyOf returns a key in the shard of the subject.
func (s *Store) KeyOf(subject caveat.Subject) string { return s.subjectKey(identityKind, subject) }

// TokenKey returns the key of the token's record.
func (s *Store) TokenKey(subject caveat.Subject, id string) string { return s.tokenKey(subject, id) }

// ListMember returns a member of the sorted sets of tokens.
func ListMember(created int64, id string) string { return listMember(created, id) }

// PointerKeys returns the keys of the pointers for a token id and a user name.
func (s *Store) PointerKeys(id, username string) []string {
	return []string{s.pointerKey(tokenPointer, id), s.pointerKey(usernamePointer, username)}
}

// EncodePointer returns the value of a pointer to the subject.
func EncodePointer(subject caveat.Subject) string { return encodePointer(subject) }
