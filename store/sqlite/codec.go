package sqlite

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"hash/fnv"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// encodeToken returns the values of the columns in the order of tokenColumns.
func encodeToken(t *store.Token) []any {
	return []any{
		t.ID, t.Name, t.Version, t.Subject.String(), t.Type, encodeCaveats(t.Caveats), encodeSecret(t.Secret), t.Created,
		t.Revoked, encodeTails(t.RevokedTails), encodeCustom(t.Custom), encodePrivileges(t.Privileges), t.UsageLimit, t.UsageCount,
	}
}

// encodeNewToken returns the values of insertToken.
func encodeNewToken(t *store.Token) []any { return append(encodeToken(t), placeOf(t.ID)) }

// placeOf is the place in the table where a token is looked for first: the FNV-1a
// hash of its id. It is written into files, so it must not change. Where two ids
// have one place, the second stands at another, and its look-up is slower.
func placeOf(id string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return int64(h.Sum64())
}

func scanToken(r row) (t store.Token, err error) {
	var subject, caveats string
	var secret, tails []byte
	var custom, privileges sql.NullString
	err = r.Scan(&t.ID, &t.Name, &t.Version, &subject, &t.Type, &caveats, &secret, &t.Created,
		&t.Revoked, &tails, &custom, &privileges, &t.UsageLimit, &t.UsageCount)
	if err != nil {
		return store.Token{}, err
	}
	if custom.Valid {
		t.Custom = json.RawMessage(custom.String)
	}
	t.Secret = decodeSecret(secret)
	if t.Subject, err = decodeSubject(subject); err != nil {
		return store.Token{}, err
	}
	if t.Caveats, err = decodeList(caveats); err != nil {
		return store.Token{}, err
	}
	if privileges.Valid {
		if t.Privileges, err = decodeList(privileges.String); err != nil {
			return store.Token{}, err
		}
	}
	t.RevokedTails, err = decodeTails(tails)
	return t, err
}

// encodeIdentity returns the values of the columns in the order of
// identityColumns.
func encodeIdentity(i *store.Identity) []any {
	// Any number of identities may have no user name, which takes NULL.
	username := sql.NullString{String: i.Username, Valid: i.Username != ""}
	return []any{i.Subject.String(), username, i.FullName, encodeSecret(i.Password), i.Blocked, i.Created}
}

func scanIdentity(r row) (i store.Identity, err error) {
	var subject string
	var username sql.NullString
	var password []byte
	if err := r.Scan(&subject, &username, &i.FullName, &password, &i.Blocked, &i.Created); err != nil {
		return store.Identity{}, err
	}
	i.Username, i.Password = username.String, decodeSecret(password)
	i.Subject, err = decodeSubject(subject)
	return i, err
}

func encodeTemporary(t *store.Temporary) []any {
	return []any{t.Subject.String(), encodeSecret(t.Secret), t.Generation}
}

func scanTemporary(r row) (t store.Temporary, err error) {
	var subject string
	var secret []byte
	if err := r.Scan(&subject, &secret, &t.Generation); err != nil {
		return store.Temporary{}, err
	}
	t.Secret = decodeSecret(secret)
	t.Subject, err = decodeSubject(subject)
	return t, err
}

// encodeSecret makes a blob, because a secret need not be a text.
func encodeSecret(s store.Secret) []byte { return []byte(s.Reveal()) }

func decodeSecret(b []byte) store.Secret { return store.NewSecret(string(b)) }

func encodeCaveats(caveats []string) string {
	if len(caveats) == 0 {
		return "[]"
	}
	return encodeList(caveats)
}

// encodePrivileges makes NULL of no list, which an empty list is not.
func encodePrivileges(privileges []string) sql.NullString {
	return sql.NullString{String: encodeList(privileges), Valid: privileges != nil}
}

// encodeList writes valid UTF-8, which always has a JSON form.
func encodeList(list []string) string {
	text, _ := json.Marshal(list)
	return string(text)
}

func decodeList(text string) (list []string, err error) {
	if text == "[]" {
		return []string{}, nil
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, errors.New("a record has a list that is no JSON array of texts")
	}
	return list, nil
}

func encodeCustom(custom json.RawMessage) sql.NullString {
	return sql.NullString{String: string(custom), Valid: custom != nil}
}

func encodeTails(tails []store.Tail) []byte {
	b := make([]byte, 0, len(tails)*len(store.Tail{}))
	for _, tail := range tails {
		b = append(b, tail[:]...)
	}
	return b
}

func decodeTails(b []byte) ([]store.Tail, error) {
	const size = len(store.Tail{})
	if len(b)%size != 0 {
		return nil, fmt.Errorf("a record has %d bytes of revoked tails, not a multiple of %d", len(b), size)
	}
	if len(b) == 0 {
		return nil, nil
	}
	tails := make([]store.Tail, len(b)/size)
	for i := range tails {
		tails[i] = store.Tail(b[i*size:])
	}
	return tails, nil
}

// decodeSubject reads a subject that was written as one: that it is none is the
// doing of the environment.
func decodeSubject(text string) (caveat.Subject, error) {
	subject, err := caveat.ParseSubject(text)
	if err != nil {
		return caveat.Subject{}, errors.New("a record is about a subject that is none")
	}
	return subject, nil
}
