package redis

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// stage is a part of an import. In a Cluster the stages run one after the
// other. Their order ensures that every record has a pointer, even if the
// import is interrupted.
type stage int

const (
	clearing  stage = iota // delete records that move to another subject, and fence dead claims
	claims                 // write pointers
	removal                // delete outdated index entries
	writing                // write records and index entries, in the same step as removal
	releasing              // delete pointers of unused user names
	stages
)

// plan contains the operations of an import and the data that they depend on.
type plan struct {
	store *Store
	batch backend.Batch
	seen  map[string]string       // values of strings, by key
	ops   [stages]map[string][]op // by the hash tag of the shard
}

// plan reads the data that the import depends on, and plans the writes.
// badValueIdentifierOccupied: a name of the batch belongs to a record outside
// the batch.
func (s *Store) plan(ctx context.Context, b backend.Batch) (*plan, error) {
	p := &plan{store: s, batch: b, seen: make(map[string]string)}
	for i := range p.ops {
		p.ops[i] = make(map[string][]op)
	}
	if err := p.read(ctx, p.firstKeys()); err != nil {
		return nil, err
	}
	next, err := p.secondKeys()
	if err != nil {
		return nil, err
	}
	if err := p.read(ctx, next); err != nil {
		return nil, err
	}
	owners, err := p.nameOwners(ctx)
	if err != nil {
		return nil, err
	}
	for id, t := range b.Tokens {
		if err := p.token(*t, owners[id]); err != nil {
			return nil, err
		}
	}
	for _, i := range b.Identities {
		if err := p.identity(*i); err != nil {
			return nil, err
		}
	}
	for _, t := range b.Temporary {
		key := s.subjectKey(temporaryKind, t.Subject)
		p.add(writing, tagOf(t.Subject.String()), s.putTemporary(*t, revision(p.seen[key])).ops...)
	}
	for _, u := range b.Uses {
		if err := p.use(*u); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *plan) read(ctx context.Context, keys []string) error {
	values, err := p.store.getEach(ctx, keys)
	for i, value := range values {
		p.seen[keys[i]] = value
	}
	return err
}

// firstKeys returns the keys that the batch determines: of records, and of
// pointers of the new records.
func (p *plan) firstKeys() (keys []string) {
	for id := range p.batch.Tokens {
		keys = append(keys, p.store.pointerKey(tokenPointer, id))
	}
	for id := range p.batch.Uses {
		keys = append(keys, p.store.pointerKey(tokenPointer, id))
	}
	for subject, i := range p.batch.Identities {
		keys = append(keys, p.store.subjectKey(identityKind, subject), p.store.pointerKey(usernamePointer, i.Username))
	}
	for subject := range p.batch.Temporary {
		keys = append(keys, p.store.subjectKey(temporaryKind, subject))
	}
	return keys
}

// secondKeys returns the keys that the values of the first keys lead to: of
// records at the end of pointers, and of pointers of the old records.
func (p *plan) secondKeys() (keys []string, err error) {
	for id := range p.batch.Tokens {
		at, err := p.pointer(tokenPointer, id)
		if err != nil {
			return nil, err
		}
		if at.revision != "" {
			keys = append(keys, p.store.tokenKey(at.subject, id))
		}
	}
	for subject, i := range p.batch.Identities {
		at, err := p.pointer(usernamePointer, i.Username)
		if err != nil {
			return nil, err
		}
		if at.revision != "" {
			keys = append(keys, p.store.subjectKey(identityKind, at.subject))
		}
		if value := p.seen[p.store.subjectKey(identityKind, subject)]; value != "" {
			old, err := decodeIdentity(subject, value)
			if err != nil {
				return nil, err
			}
			keys = append(keys, p.store.pointerKey(usernamePointer, old.Username))
		}
	}
	return keys, nil
}

// pointer returns the pointer that was read.
func (p *plan) pointer(kind, text string) (pointer, error) {
	return decodePointer(p.seen[p.store.pointerKey(kind, text)])
}

// nameOwners returns, for each token id of the batch, the id of the token that
// has its name.
func (p *plan) nameOwners(ctx context.Context) (map[string]string, error) {
	var ids []string
	var commands []rueidis.Completed
	client := p.store.client
	for id, t := range p.batch.Tokens {
		ids = append(ids, id)
		names := p.store.subjectKey(namesKind, t.Subject)
		commands = append(commands, client.B().Hget().Key(names).Field(t.Name).Build().Pin())
	}
	values, err := texts(client.DoMulti(ctx, commands...))
	owners := make(map[string]string, len(ids))
	for i, value := range values {
		owners[ids[i]] = value
	}
	return owners, err
}

// token plans the write of one token, given the id of the token that has its
// name.
func (p *plan) token(t store.Token, nameOwner string) error {
	if _, replaced := p.batch.Tokens[nameOwner]; nameOwner != "" && !replaced {
		return errors.BadValueIdentifierOccupied("name")
	}
	s, tag := p.store, tagOf(t.Subject.String())
	ops := []op{hasField(s.subjectKey(namesKind, t.Subject), t.Name, nameOwner, errStale)}

	at, err := p.pointer(tokenPointer, t.ID)
	if err != nil {
		return err
	}
	key, oldKey := s.tokenKey(t.Subject, t.ID), s.tokenKey(at.subject, t.ID)
	value := p.seen[oldKey]
	var old store.Token
	if value != "" {
		if old, err = decodeToken(t.ID, value); err != nil {
			return err
		}
	}
	switch {
	case value == "": // it is new
		if at.revision != "" {
			p.add(clearing, tagOf(at.subject.String()), s.fence(at, oldKey, "")...)
		}
		p.take(tokenPointer, t.ID, t.Subject, at)
		p.add(claims, tagOf(t.ID), s.dropUse(t.ID)...)
		ops = append(ops, isAbsent(key, errStale))
	case old.Subject != t.Subject: // it moves
		oldTag := tagOf(old.Subject.String())
		p.add(clearing, oldTag, s.dropToken(old, revision(value))...)
		p.add(clearing, oldTag, s.unindex(old)...)
		p.take(tokenPointer, t.ID, t.Subject, at)
		if key != oldKey {
			ops = append(ops, isAbsent(key, errStale))
		}
	default:
		ops = append(ops, hasRevision(key, revision(value), errStale))
		p.add(removal, tag, s.unindex(old)...)
	}
	p.add(writing, tag, ops...)
	p.add(writing, tag, s.putToken(t)...)
	p.add(writing, tag, s.index(t)...)
	return nil
}

// identity plans the write of one identity.
func (p *plan) identity(i store.Identity) error {
	if i.Username != "" {
		if err := p.username(i); err != nil {
			return err
		}
	}
	s := p.store
	key := s.subjectKey(identityKind, i.Subject)
	value := p.seen[key]
	p.add(writing, tagOf(i.Subject.String()), hasRevision(key, revision(value), errStale))
	p.add(writing, tagOf(i.Subject.String()), s.putIdentity(i)...)
	if value == "" {
		return nil
	}
	old, err := decodeIdentity(i.Subject, value)
	if err != nil {
		return err
	}
	at, err := p.pointer(usernamePointer, old.Username)
	if _, taken := p.batch.Usernames[old.Username]; err == nil && !taken && at.subject == i.Subject {
		p.add(releasing, tagOf(old.Username), release(s.pointerKey(usernamePointer, old.Username), at.revision)...)
	}
	return err
}

// username plans to take the user name of the identity.
func (p *plan) username(i store.Identity) error {
	at, err := p.pointer(usernamePointer, i.Username)
	if err != nil {
		return err
	}
	key := p.store.subjectKey(identityKind, at.subject)
	value := p.seen[key]
	var holder store.Identity
	if at.revision != "" && value != "" {
		if holder, err = decodeIdentity(at.subject, value); err != nil {
			return err
		}
	}
	_, replaced := p.batch.Identities[at.subject]
	switch {
	case at.revision == "":
	case holder.Username != i.Username: // the pointer leads nowhere
		p.add(clearing, tagOf(at.subject.String()), p.store.fence(at, key, revision(value))...)
	case at.subject == i.Subject:
		return nil // the identity already has the name
	case !replaced:
		return errors.BadValueIdentifierOccupied("username")
	}
	p.take(usernamePointer, i.Username, i.Subject, at)
	return nil
}

// take plans to make the pointer lead to the subject.
func (p *plan) take(kind, text string, subject caveat.Subject, replaced pointer) {
	key, value := p.store.pointerKey(kind, text), encodePointer(subject)
	p.add(claims, tagOf(text), hasRevision(key, replaced.revision, errStale), write("SET", key, value))
	p.add(writing, tagOf(subject.String()), isAbsent(p.store.fenceKey(subject, revision(value)), errStale))
}

func (p *plan) add(at stage, tag string, ops ...op) { p.ops[at][tag] = append(p.ops[at][tag], ops...) }

// steps returns the steps to commit.
func (p *plan) steps() (steps []step) {
	for tag, ops := range p.ops[removal] {
		// Removals come first, because other records may take the removed
		// names.
		p.ops[writing][tag] = append(ops, p.ops[writing][tag]...)
	}
	for _, at := range []stage{clearing, claims, writing, releasing} {
		for _, ops := range p.ops[at] {
			steps = append(steps, step{ops: ops, cleanup: at == releasing})
		}
	}
	return steps
}
