package backend

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// TokenArgs returns the values of {tokenColumns} in statements.sql, and the row
// id if the dialect has one.
func (d Dialect) TokenArgs(t *store.Token) []any {
	caveats := t.Caveats
	if caveats == nil {
		caveats = []string{} // not NULL
	}
	args := []any{
		t.ID, t.Name, t.Version, t.Subject.String(), t.Type, d.List(caveats), secretBytes(t.Secret), t.Created,
		t.Revoked, tailBytes(t.RevokedTails), nullable(string(t.Custom)), d.List(t.Privileges), t.UsageLimit, t.UsageCount,
		d.List(ownerCaveatTexts(t.Tightened)), int64(t.Bait), nullable(t.Parent),
	}
	if d.RowID != nil {
		args = append(args, d.RowID(t.ID))
	}
	return args
}

// tokenChanges returns the values of the columns that an update writes, after
// the id.
func (d Dialect) tokenChanges(t *store.Token) []any {
	args := d.TokenArgs(t)
	return slices.Concat(args[:3], args[4:7], args[8:16])
}

func (d Dialect) scanToken(r Row) (t store.Token, err error) {
	var c columns
	err = r.Scan(&t.ID, &t.Name, &t.Version, &c.subject, &t.Type, d.ScanList(&t.Caveats), &c.secret, &t.Created,
		&t.Revoked, &c.tails, &c.text, d.ScanList(&t.Privileges), &t.UsageLimit, &t.UsageCount,
		d.ScanList(&c.tightened), &t.Bait, &c.parent)
	if err != nil {
		return store.Token{}, err
	}
	if c.parent != nil {
		t.Parent = *c.parent
	}
	if t.Tightened, err = parseOwnerCaveats(c.tightened); err != nil {
		return store.Token{}, err
	}
	if c.text != nil {
		t.Custom = json.RawMessage(*c.text)
	}
	t.Secret = store.NewSecret(string(c.secret))
	if t.Subject, err = parseSubject(c.subject); err == nil {
		t.RevokedTails, err = parseTails(c.tails)
	}
	return t, err
}

// columns are column values that need conversion before they fit a record.
type columns struct {
	subject       string
	secret, tails []byte
	text, parent  *string
	tightened     []string
}

func (d Dialect) scanNamedKey(r Row) (key store.Key, err error) {
	var c struct { // one small allocation
		subject       string
		secret, tails []byte
		flags         int64 // see statements.sql
		tightened     []string
	}
	if err = r.Scan(&c.subject, &c.secret, &c.flags, &c.tails, d.ScanList(&c.tightened)); err != nil {
		return store.Key{}, err
	}
	key = store.Key{
		Secret: store.NewSecret(string(c.secret)), Holder: store.Status(c.flags & 3), Revoked: c.flags&4 != 0, Bait: store.Bait(c.flags >> 3),
	}
	if key.Subject, err = parseSubject(c.subject); err == nil {
		key.RevokedTails, err = parseTails(c.tails)
	}
	if err == nil {
		key.Tightened, err = parseOwnerCaveats(c.tightened)
	}
	return key, err
}

func scanTemporaryKey(r Row, subject caveat.Subject) (store.Key, error) {
	var c struct {
		secret     []byte
		blocked    *bool
		generation int64
	}
	err := r.Scan(&c.secret, &c.generation, &c.blocked)
	return store.Key{
		Secret: store.NewSecret(string(c.secret)), Subject: subject, Generation: c.generation, Holder: StatusOf(c.blocked),
	}, err
}

// StatusOf converts the blocked column of a left join with identities. nil is
// NULL.
func StatusOf(blocked *bool) store.Status {
	if blocked == nil {
		return store.HolderMissing
	}
	return store.Identity{Blocked: *blocked}.Status()
}

func scanCursor(r Row) (c store.Cursor, err error) {
	err = r.Scan(&c.Created, &c.ID)
	return c, err
}

func (d Dialect) identityArgs(i *store.Identity) []any {
	// Identities without a user name store NULL, because user names are unique.
	return []any{i.Subject.String(), nullable(i.Username), i.FullName, secretBytes(i.Password), i.Blocked, i.Created, d.rights(i)}
}

// rights encodes the rights. Identities without any store NULL.
func (d Dialect) rights(i *store.Identity) any {
	if len(i.Rights) == 0 {
		return d.List(nil)
	}
	return d.List(i.Rights)
}

// identityChanges returns the values of the columns that an update writes.
func (d Dialect) identityChanges(i *store.Identity) []any {
	return append(d.identityArgs(i)[:5], d.rights(i))
}

func (d Dialect) scanIdentity(r Row) (i store.Identity, err error) {
	var c columns
	err = r.Scan(&c.subject, &c.text, &i.FullName, &c.secret, &i.Blocked, &i.Created, d.ScanList(&i.Rights))
	if err != nil {
		return store.Identity{}, err
	}
	if c.text != nil {
		i.Username = *c.text
	}
	i.Password = store.NewSecret(string(c.secret))
	i.Subject, err = parseSubject(c.subject)
	return i, err
}

func temporaryArgs(t *store.Temporary) []any {
	return []any{t.Subject.String(), secretBytes(t.Secret), t.Generation}
}

func scanTemporary(r Row) (t store.Temporary, err error) {
	var c columns
	if err := r.Scan(&c.subject, &c.secret, &t.Generation); err != nil {
		return store.Temporary{}, err
	}
	t.Secret = store.NewSecret(string(c.secret))
	t.Subject, err = parseSubject(c.subject)
	return t, err
}

// nullable converts the empty text to NULL.
func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// secretBytes returns the secret as bytes, because it need not be valid text.
func secretBytes(s store.Secret) []byte { return []byte(s.Reveal()) }

// parseSubject parses a stored subject. An invalid one is an operational error.
func parseSubject(text string) (caveat.Subject, error) {
	subject, err := caveat.ParseSubject(text)
	if err != nil {
		return caveat.Subject{}, errors.New("a record has an invalid subject")
	}
	return subject, nil
}

// tailBytes concatenates the tails.
func tailBytes(tails []store.Tail) []byte {
	b := make([]byte, 0, len(tails)*len(store.Tail{}))
	for _, tail := range tails {
		b = append(b, tail[:]...)
	}
	return b
}

// parseTails parses the result of tailBytes.
func parseTails(b []byte) ([]store.Tail, error) {
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

// ownerCaveatTexts encodes each caveat as its time, a space and its text. It
// returns nil for an empty list.
func ownerCaveatTexts(caveats []store.OwnerCaveat) (texts []string) {
	for _, c := range caveats {
		texts = append(texts, strconv.FormatInt(c.Added, 10)+" "+c.Text)
	}
	return texts
}

// parseOwnerCaveats parses the result of ownerCaveatTexts.
func parseOwnerCaveats(texts []string) (caveats []store.OwnerCaveat, err error) {
	for _, text := range texts {
		added, text, found := strings.Cut(text, " ")
		c := store.OwnerCaveat{Text: text}
		if c.Added, err = strconv.ParseInt(added, 10, 64); err != nil || !found {
			return nil, errors.New("a record has an invalid caveat of its owner")
		}
		caveats = append(caveats, c)
	}
	return caveats, nil
}
