package postgres

import (
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

// encodeToken returns the values of the columns in the order of tokenColumns.
func encodeToken(t *store.Token) []any {
	return []any{
		t.ID, t.Name, t.Version, t.Subject.String(), t.Type, encodeList(t.Caveats), columns.Secret(t.Secret), t.Created,
		t.Revoked, columns.Tails(t.RevokedTails), encodeCustom(t.Custom), t.Privileges, t.UsageLimit, t.UsageCount,
	}
}

func scanToken(row pgx.Row) (t store.Token, err error) {
	var subject string
	var secret, tails []byte
	var custom *string
	err = row.Scan(&t.ID, &t.Name, &t.Version, &subject, &t.Type, &t.Caveats, &secret, &t.Created,
		&t.Revoked, &tails, &custom, &t.Privileges, &t.UsageLimit, &t.UsageCount)
	if err != nil {
		return store.Token{}, err
	}
	if custom != nil {
		t.Custom = json.RawMessage(*custom)
	}
	t.Secret = columns.ParseSecret(secret)
	if t.Subject, err = columns.ParseSubject(subject); err != nil {
		return store.Token{}, err
	}
	t.RevokedTails, err = columns.ParseTails(tails)
	return t, err
}

func scanCursor(row pgx.Row) (c store.Cursor, err error) {
	err = row.Scan(&c.Created, &c.ID)
	return c, err
}

func scanCount(row pgx.Row) (count int64, err error) {
	err = row.Scan(&count)
	return count, err
}

// encodeIdentity returns the values of the columns in the order of
// identityColumns.
func encodeIdentity(i *store.Identity) []any {
	return []any{i.Subject.String(), encodeUsername(i.Username), i.FullName, columns.Secret(i.Password), i.Blocked, i.Created}
}

func scanIdentity(row pgx.Row) (i store.Identity, err error) {
	var subject string
	var username *string
	var password []byte
	if err := row.Scan(&subject, &username, &i.FullName, &password, &i.Blocked, &i.Created); err != nil {
		return store.Identity{}, err
	}
	if username != nil {
		i.Username = *username
	}
	i.Password = columns.ParseSecret(password)
	i.Subject, err = columns.ParseSubject(subject)
	return i, err
}

func encodeTemporary(t *store.Temporary) []any {
	return []any{t.Subject.String(), columns.Secret(t.Secret), t.Generation}
}

func scanTemporary(row pgx.Row) (t store.Temporary, err error) {
	var subject string
	var secret []byte
	if err := row.Scan(&subject, &secret, &t.Generation); err != nil {
		return store.Temporary{}, err
	}
	t.Secret = columns.ParseSecret(secret)
	t.Subject, err = columns.ParseSubject(subject)
	return t, err
}

// encodeList makes an empty array of no list, where NULL would be another thing.
func encodeList(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func encodeCustom(custom json.RawMessage) *string {
	if custom == nil {
		return nil
	}
	text := string(custom)
	return &text
}

// encodeUsername makes NULL of no name, because any number of identities may
// have none.
func encodeUsername(name string) *string {
	if name == "" {
		return nil
	}
	return &name
}
