package storetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// naive is the simplest correct backend: maps under one mutex. With a fault,
// named as in faults_test.go, it violates the contract in that one way. With a
// variant it differs in a way that the contract allows.
type naive struct {
	fault string

	mu         sync.Mutex
	tokens     map[string]store.Token
	names      map[nameKey]string // id of the token
	identities map[caveat.Subject]store.Identity
	temporary  map[caveat.Subject]store.Temporary
	uses       map[string]store.Use
	statuses   map[caveat.Subject]store.Status // remembered by "stale holder"
	counts     map[caveat.Subject]int64        // remembered by "count never falls"
	ids        []string                        // given out by "ids share memory"
}

type nameKey struct {
	subject caveat.Subject
	name    string
}

func newNaive(fault string) *naive {
	return &naive{
		fault:      fault,
		tokens:     make(map[string]store.Token),
		names:      make(map[nameKey]string),
		identities: make(map[caveat.Subject]store.Identity),
		temporary:  make(map[caveat.Subject]store.Temporary),
		uses:       make(map[string]store.Use),
		statuses:   make(map[caveat.Subject]store.Status),
		counts:     make(map[caveat.Subject]int64),
	}
}

func (n *naive) Close() error { return nil }

// is reports whether the store has one of the faults.
func (n *naive) is(faults ...string) bool { return slices.Contains(faults, n.fault) }

// begin locks the store, unless the context is done.
func (n *naive) begin(ctx context.Context) error {
	switch err := ctx.Err(); {
	case err == nil, n.is("context ignored"):
	case n.is("context error as not found"):
		return errors.NotFound()
	case n.is("context error in the catalogue"):
		return errors.InternalServerError("").WithCause(err)
	case n.is("context error hidden"):
		return errors.New("the database is not available")
	default:
		return fmt.Errorf("use a naive store: %w", err)
	}
	n.mu.Lock()
	return nil
}

// pause unlocks the store for a moment in the middle of an operation that
// should be atomic.
func (n *naive) pause() {
	n.mu.Unlock()
	for range 100 {
		runtime.Gosched()
	}
	n.mu.Lock()
}

func (n *naive) notFound() error {
	if n.is("not found as a plain error") {
		return errors.New("no rows in the result")
	}
	return errors.NotFound()
}

// text returns the text that the store considers equal to s.
func (n *naive) text(s string) string {
	switch {
	case n.is("letter case ignored"):
		return strings.ToLower(s)
	case n.is("trailing spaces cut"):
		return strings.TrimRight(s, " ")
	case n.is("invalid bytes replaced"):
		return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	}
	return s
}

func (n *naive) subject(s caveat.Subject) caveat.Subject {
	s.ID = n.text(s.ID)
	if n.is("type of the subject ignored") && s.Type == caveat.SubjectProvider {
		s.Type = caveat.SubjectUser
	}
	return s
}

func (n *naive) status(subject caveat.Subject) store.Status {
	if status, ok := n.statuses[subject]; ok && n.is("stale holder") {
		return status
	}
	status := store.HolderMissing
	if i, ok := n.identities[n.subject(subject)]; ok {
		status = i.Status()
	}
	if n.is("missing holder taken for active") && status == store.HolderMissing {
		status = store.HolderActive
	}
	n.statuses[subject] = status
	return status
}

func (n *naive) NamedKey(ctx context.Context, id string) (store.Key, error) {
	if n.is("context ignored by a look-up") {
		ctx = context.WithoutCancel(ctx)
	}
	t, err := n.GetToken(ctx, id)
	if err != nil {
		return store.Key{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	key := store.Key{
		Secret: t.Secret, Subject: t.Subject, Revoked: t.Revoked, RevokedTails: t.RevokedTails,
		Tightened: t.Tightened, Bait: t.Bait, Holder: n.status(t.Subject),
	}
	switch {
	case n.is("revocation not in the key"):
		key.Revoked = false
	case n.is("tails not in the key"):
		key.RevokedTails = nil
	case n.is("additions of the owner not in the key"):
		key.Tightened = nil
	case n.is("only the first addition in the key"):
		key.Tightened = key.Tightened[:min(1, len(key.Tightened))]
	case n.is("bait not in the key"):
		key.Bait = 0
	case n.is("generation of a named key"):
		key.Generation = 1
	}
	return key, nil
}

func (n *naive) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	if err := n.begin(ctx); err != nil {
		return store.Key{}, err
	}
	defer n.mu.Unlock()
	if n.is("look-up writes") && store.ValidateHolder(subject) == nil {
		if _, ok := n.temporary[subject]; !ok {
			n.temporary[subject] = store.Temporary{Subject: subject, Secret: store.NewSecret("made"), Generation: 1}
			return store.Key{}, errors.NotFound()
		}
	}
	return n.temporaryKey(subject)
}

func (n *naive) temporaryKey(subject caveat.Subject) (store.Key, error) {
	t, ok := n.temporary[n.subject(subject)]
	if !ok || t.Secret.IsZero() {
		return store.Key{}, n.notFound()
	}
	return store.Key{Secret: t.Secret, Subject: subject, Generation: t.Generation, Holder: n.status(subject)}, nil
}

func (n *naive) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	if err := n.begin(ctx); err != nil {
		return store.Key{}, err
	}
	defer n.mu.Unlock()
	if err := n.checkTemporary(subject, secret); err != nil {
		return store.Key{}, err
	}
	key, err := n.temporaryKey(subject)
	if n.is("ensure in two steps") {
		n.pause()
	}
	if err != nil || n.is("ensure overwrites") {
		n.temporary[n.subject(subject)] = store.Temporary{Subject: subject, Secret: secret, Generation: 1}
		key, err = n.temporaryKey(subject)
	}
	return key, err
}

func (n *naive) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	if err := n.begin(ctx); err != nil {
		return 0, err
	}
	defer n.mu.Unlock()
	if err := n.checkTemporary(subject, secret); err != nil {
		return 0, err
	}
	t := n.temporary[n.subject(subject)]
	if n.is("rotate in two steps") {
		n.pause()
	}
	if t.Generation == math.MaxInt64 {
		return 0, errors.New("there is no higher generation")
	}
	t.Subject, t.Secret = subject, secret
	if !n.is("generation not counted") || t.Generation == 0 {
		t.Generation++
	}
	n.temporary[n.subject(subject)] = t
	return t.Generation, nil
}

func (n *naive) checkTemporary(subject caveat.Subject, secret store.Secret) error {
	switch {
	case n.is("group accepted") && subject.Type == caveat.SubjectGroup:
		return nil
	case secret.IsZero() && !n.is("empty secret accepted"):
		return errors.BadData("secret")
	}
	return store.ValidateHolder(subject)
}

func (n *naive) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	defer n.mu.Unlock()
	subject = n.subject(subject)
	t, ok := n.temporary[subject]
	if n.is("deleting no secret is an error") && !ok {
		return errors.NotFound()
	}
	delete(n.temporary, subject)
	if n.is("delete keeps the generation") && ok {
		n.temporary[subject] = store.Temporary{Subject: subject, Generation: t.Generation}
	}
	return nil
}

// out returns the record as returned to a caller.
func (n *naive) out(t store.Token, sharing string) store.Token {
	if n.is(sharing) {
		return t
	}
	return t.Clone()
}

// in returns the record as stored.
func (n *naive) in(t store.Token, sharing string) store.Token {
	if !n.is(sharing) {
		t = t.Clone()
	}
	switch {
	case n.is("empty privileges become none") && len(t.Privileges) == 0:
		t.Privileges = nil
	case n.is("no privileges become empty") && t.Privileges == nil:
		t.Privileges = []string{}
	case n.is("no caveats become empty") && t.Caveats == nil:
		t.Caveats = []string{}
	case n.is("caveats sorted"):
		slices.Sort(t.Caveats)
	case n.is("caveats made unique"):
		t.Caveats = slices.Compact(t.Caveats)
	case n.is("numbers as floats"):
		t.UsageCount = min(int64(float64(t.UsageCount)), 1<<62)
	case n.is("secrets as text"):
		t.Secret = store.NewSecret(strings.ToValidUTF8(t.Secret.Reveal(), "?"))
	case n.is("custom through floats") && t.Custom != nil:
		var value any
		_ = json.Unmarshal(t.Custom, &value)
		t.Custom, _ = json.Marshal(value)
	case n.is("additions without times"):
		for i := range t.Tightened {
			t.Tightened[i].Added = 0
		}
	case n.is("parent dropped"):
		t.Parent = ""
	case n.is("custom dropped"):
		t.Custom = nil
	case n.is("custom without zero runes"):
		t.Custom = bytes.ReplaceAll(t.Custom, []byte(`\u0000`), nil)
	case n.is("texts truncated"):
		for i, c := range t.Caveats {
			t.Caveats[i] = c[:min(len(c), 1<<16-1)]
		}
	}
	return t
}
