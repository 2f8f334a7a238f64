package postgres

import (
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// encodeToken returns the values of the columns in the order of tokenColumns.
func encodeToken(t *store.Token) []any {
	return []any{
		t.ID, t.Name, t.Version, t.Subject.String(), t.Type, encodeList(t.Caveats), encodeSecret(t.Secret), t.Created,
		t.Revoked, encodeTails(t.RevokedTails), encodeCustom(t.Custom), t.Privileges, t.UsageLimit, t.UsageCount,
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
	t.Secret = decodeSecret(secret)
	if t.Subject, err = decodeSubject(subject); err != nil {
		return store.Token{}, err
	}
	t.RevokedTails, err = decodeTails(tails)
	return t, err
}

// encodeIdentity returns the values of the columns in the order of
// identityColumns.
func encodeIdentity(i *store.Identity) []any {
	return []any{i.Subject.String(), encodeUsername(i.Username), i.FullName, encodeSecret(i.Password), i.Blocked, i.Created}
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
	i.Password = decodeSecret(password)
	i.Subject, err = decodeSubject(subject)
	return i, err
}

func encodeTemporary(t *store.Temporary) []any {
	return []any{t.Subject.String(), encodeSecret(t.Secret), t.Generation}
}

func scanTemporary(row pgx.Row) (t store.Temporary, err error) {
	var subject string
	var secret []byte
	if err := row.Scan(&subject, &secret, &t.Generation); err != nil {
		return store.Temporary{}, err
	}
	t.Secret = decodeSecret(secret)
	t.Subject, err = decodeSubject(subject)
	return t, err
}

func encodeSecret(s store.Secret) []byte { return []byte(s.Reveal()) }

func decodeSecret(b []byte) store.Secret { return store.NewSecret(string(b)) }

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
		copy(tails[i][:], b[i*size:])
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
