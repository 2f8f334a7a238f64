package sqlite

import (
	"database/sql"
	"encoding/json"
	"hash/fnv"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

// encodeToken returns the values of the columns in the order of tokenColumns.
func encodeToken(t *store.Token) []any {
	return []any{
		t.ID, t.Name, t.Version, t.Subject.String(), t.Type, encodeCaveats(t.Caveats), columns.Secret(t.Secret), t.Created,
		t.Revoked, columns.Tails(t.RevokedTails), encodeCustom(t.Custom), encodePrivileges(t.Privileges), t.UsageLimit, t.UsageCount,
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
	t.Secret = columns.ParseSecret(secret)
	if t.Subject, err = columns.ParseSubject(subject); err != nil {
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
	t.RevokedTails, err = columns.ParseTails(tails)
	return t, err
}

func scanCursor(r row) (c store.Cursor, err error) {
	err = r.Scan(&c.Created, &c.ID)
	return c, err
}

func scanCount(r row) (count int64, err error) {
	err = r.Scan(&count)
	return count, err
}

// encodeIdentity returns the values of the columns in the order of
// identityColumns.
func encodeIdentity(i *store.Identity) []any {
	// Any number of identities may have no user name, which takes NULL.
	username := sql.NullString{String: i.Username, Valid: i.Username != ""}
	return []any{i.Subject.String(), username, i.FullName, columns.Secret(i.Password), i.Blocked, i.Created}
}

func scanIdentity(r row) (i store.Identity, err error) {
	var subject string
	var username sql.NullString
	var password []byte
	if err := r.Scan(&subject, &username, &i.FullName, &password, &i.Blocked, &i.Created); err != nil {
		return store.Identity{}, err
	}
	i.Username, i.Password = username.String, columns.ParseSecret(password)
	i.Subject, err = columns.ParseSubject(subject)
	return i, err
}

func encodeTemporary(t *store.Temporary) []any {
	return []any{t.Subject.String(), columns.Secret(t.Secret), t.Generation}
}

func scanTemporary(r row) (t store.Temporary, err error) {
	var subject string
	var secret []byte
	if err := r.Scan(&subject, &secret, &t.Generation); err != nil {
		return store.Temporary{}, err
	}
	t.Secret = columns.ParseSecret(secret)
	t.Subject, err = columns.ParseSubject(subject)
	return t, err
}

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
