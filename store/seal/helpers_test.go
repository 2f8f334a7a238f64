package seal_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

var (
	alice = caveat.User("alice")
	bob   = caveat.User("bob")
)

// key returns a key with the id. Keys with the same id and different fill have
// different material.
func key(id string, fill byte) seal.Key {
	return seal.Key{ID: id, Material: store.NewSecret(string(bytes.Repeat([]byte{fill}, 32)))}
}

var (
	key1 = key("one", 1)
	key2 = key("two", 2)
)

func ring(t testing.TB, primary seal.Key, others ...seal.Key) *seal.StaticKeys {
	t.Helper()
	keys, err := seal.NewStaticKeys(primary, others...)
	require.NoError(t, err)
	return keys
}

// sealed opens a store with the given options, if any.
func sealed(t testing.TB, backend store.Store, keys seal.KeyRing, options ...seal.Options) seal.Store {
	t.Helper()
	s, err := seal.New(t.Context(), backend, keys, append(options, seal.Options{})[0])
	require.NoError(t, err)
	return s
}

// later returns a sealed store that was opened with the first ring and then
// uses the other.
func later(t testing.TB, backend store.Store, first, keys seal.KeyRing, options ...seal.Options) seal.Store {
	t.Helper()
	changed := &changedRing{first}
	s := sealed(t, backend, changed, options...)
	changed.KeyRing = keys
	return s
}

// changedRing is a ring that changes while the store is open.
type changedRing struct{ seal.KeyRing }

func token(id string, subject caveat.Subject, secret string) store.Token {
	return store.Token{
		ID: id, Name: "name of " + id, Version: 2, Subject: subject, Type: "act",
		Secret: store.NewSecret(secret), Created: 7,
	}
}

func identity(subject caveat.Subject, password string) store.Identity {
	return store.Identity{Subject: subject, Username: subject.ID, Password: store.NewSecret(password), Created: 5}
}

// fill writes the secrets "plain 1" to "plain 3" of alice, one of each kind.
func fill(t testing.TB, s store.Store) {
	t.Helper()
	require.NoError(t, s.CreateIdentity(t.Context(), identity(alice, "plain 1")))
	_, err := s.EnsureTemporaryKey(t.Context(), alice, store.NewSecret("plain 2"))
	require.NoError(t, err)
	require.NoError(t, second(s.CreateToken(t.Context(), token("a", alice, "plain 3"), 0)))
}

// requireFilled requires that the secrets of fill can be read.
func requireFilled(t *testing.T, s store.Store) {
	t.Helper()
	i, err := s.GetIdentity(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, "plain 1", i.Password.Reveal())
	temporary, err := s.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, "plain 2", temporary.Secret.Reveal())
	require.EqualValues(t, 1, temporary.Generation)
	named, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "plain 3", named.Secret.Reveal())
	record, err := s.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "plain 3", record.Secret.Reveal())
}

// canary is the subject of the canary in the backend.
var canary = caveat.User("onezone/canary")

// secretsOf returns the secrets in the backend by kind, except the canary.
func secretsOf(t testing.TB, backend store.Archive) map[store.RecordKind][]string {
	t.Helper()
	secrets := make(map[store.RecordKind][]string)
	for page, err := range transfer.Walk(t.Context(), backend, transfer.Position{}, 0) {
		require.NoError(t, err)
		for _, r := range page.Records {
			var secret store.Secret
			switch {
			case r.Identity != nil:
				secret = r.Identity.Password
			case r.Temporary != nil && r.Temporary.Subject == canary:
				continue
			case r.Temporary != nil:
				secret = r.Temporary.Secret
			default:
				secret = r.Token.Secret
			}
			secrets[page.Kind] = append(secrets[page.Kind], secret.Reveal())
		}
	}
	return secrets
}

// reads are all calls that return a secret of fill.
func reads(s store.Store) map[string]func(ctx context.Context) error {
	calls := map[string]func(ctx context.Context) error{
		"NamedKey":     func(ctx context.Context) error { _, err := s.NamedKey(ctx, "a"); return err },
		"TemporaryKey": func(ctx context.Context) error { _, err := s.TemporaryKey(ctx, alice); return err },
		"GetToken":     func(ctx context.Context) error { _, err := s.GetToken(ctx, "a"); return err },
		"ListTokens": func(ctx context.Context) error {
			page, _, err := s.ListTokens(ctx, store.Query{})
			if err == nil && page[0].Secret.IsZero() {
				_, err = s.GetToken(ctx, page[0].ID) // the reason
			}
			return err
		},
		"GetIdentity":           func(ctx context.Context) error { _, err := s.GetIdentity(ctx, alice); return err },
		"GetIdentityByUsername": func(ctx context.Context) error { _, err := s.GetIdentityByUsername(ctx, "alice"); return err },
		"EnsureTemporaryKey": func(ctx context.Context) error {
			_, err := s.EnsureTemporaryKey(ctx, alice, store.NewSecret("plain 4"))
			return err
		},
		"UpdateToken": func(ctx context.Context) error {
			return s.UpdateToken(ctx, "a", func(*store.Token) error { return nil })
		},
		"UpdateIdentity": func(ctx context.Context) error {
			return s.UpdateIdentity(ctx, alice, func(*store.Identity) error { return nil })
		},
	}
	for kind := store.IdentityRecords; kind <= store.TokenRecords; kind++ {
		calls["Export of kind "+kind.String()] = func(ctx context.Context) error {
			_, _, err := s.Export(ctx, kind, "", 0)
			return err
		}
	}
	return calls
}

// writes are all calls with a new secret.
func writes(s store.Store) map[string]func(ctx context.Context) error {
	secret := store.NewSecret("plain 5")
	record, imported, guarded := token("b", bob, "plain 5"), token("c", bob, "plain 5"), token("d", alice, "plain 5")
	return map[string]func(ctx context.Context) error{
		"CreateToken": func(ctx context.Context) error { return second(s.CreateToken(ctx, record, 0)) },
		"CreateToken of an active holder": func(ctx context.Context) error {
			return second(s.CreateToken(ctx, guarded, store.HolderActive))
		},
		"CreateIdentity":     func(ctx context.Context) error { return s.CreateIdentity(ctx, identity(bob, "plain 5")) },
		"EnsureTemporaryKey": func(ctx context.Context) error { _, err := s.EnsureTemporaryKey(ctx, bob, secret); return err },
		"RotateTemporaryKey": func(ctx context.Context) error { _, err := s.RotateTemporaryKey(ctx, bob, secret); return err },
		"Import": func(ctx context.Context) error {
			return s.Import(ctx, []store.Record{{Token: &imported}})
		},
		"UpdateToken": func(ctx context.Context) error {
			return s.UpdateToken(ctx, "a", func(t *store.Token) error { t.Secret = secret; return nil })
		},
		"UpdateIdentity": func(ctx context.Context) error {
			return s.UpdateIdentity(ctx, alice, func(i *store.Identity) error { i.Password = secret; return nil })
		},
	}
}

// requireOperational requires an error that is not in the catalogue and that
// contains no secret.
func requireOperational(t *testing.T, err, target error, about ...any) {
	t.Helper()
	require.ErrorIs(t, err, target, about...)
	_, catalogued := errors.AsType[*errors.Error](err)
	require.False(t, catalogued, "%v %v", err, about)
	require.NotContains(t, err.Error(), "plain", about...)
	require.NotContains(t, err.Error(), "ozseal", about...)
}

// hooked is a memory store that calls before immediately before it may replace
// a secret.
type hooked struct {
	*memory.Store
	before func()
}

func newHooked() *hooked { return newHookedOver(memory.New()) }

func newHookedOver(m *memory.Store) *hooked { return &hooked{m, func() {}} }

func (h *hooked) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	h.before()
	return h.Store.ReplaceTemporarySecret(ctx, subject, old, secret)
}

func (h *hooked) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	h.before()
	return h.Store.UpdateToken(ctx, id, change)
}

func (h *hooked) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	h.before()
	return h.Store.UpdateIdentity(ctx, subject, change)
}

// dump returns every string and slice of bytes that can be reached from v,
// through unexported fields and atomic pointers as well.
func dump(v any) []string {
	d := dumper{seen: make(map[visit]bool)}
	d.value(reflect.ValueOf(v))
	return d.texts
}

type visit struct {
	address unsafe.Pointer
	typ     reflect.Type
}

type dumper struct {
	seen  map[visit]bool
	texts []string
}

func (d *dumper) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		d.texts = append(d.texts, v.String())
	case reflect.Pointer:
		d.pointer(v.UnsafePointer(), v.Type().Elem())
	case reflect.Interface:
		d.value(v.Elem())
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			d.texts = append(d.texts, string(v.Bytes()))
			return
		}
		for i := range v.Len() {
			d.value(v.Index(i))
		}
	case reflect.Map:
		for iter := v.MapRange(); iter.Next(); {
			d.value(iter.Key())
			d.value(iter.Value())
		}
	case reflect.Struct:
		if pointee, ok := atomicPointee(v.Type()); ok {
			d.pointer(v.FieldByName("v").UnsafePointer(), pointee)
			return
		}
		for i := range v.NumField() {
			d.value(v.Field(i))
		}
	}
}

func (d *dumper) pointer(address unsafe.Pointer, pointee reflect.Type) {
	at := visit{address, pointee}
	if address == nil || d.seen[at] {
		return
	}
	d.seen[at] = true
	d.value(reflect.NewAt(pointee, address).Elem())
}

// atomicPointee returns the T of an atomic.Pointer[T].
func atomicPointee(t reflect.Type) (reflect.Type, bool) {
	if t.PkgPath() != "sync/atomic" || !strings.HasPrefix(t.Name(), "Pointer[") {
		return nil, false
	}
	marker, _ := t.FieldByName("_") // of type [0]*T
	return marker.Type.Elem().Elem(), true
}

// countingRing counts the calls of a ring.
type countingRing struct {
	seal.KeyRing
	wraps, unwraps int
}

func (c *countingRing) Wrap(ctx context.Context, key, additional []byte) (string, []byte, error) {
	c.wraps++
	return c.KeyRing.Wrap(ctx, key, additional)
}

func (c *countingRing) Unwrap(ctx context.Context, keyID string, wrapped, additional []byte) ([]byte, error) {
	c.unwraps++
	return c.KeyRing.Unwrap(ctx, keyID, wrapped, additional)
}

// fixedRing always returns the same results.
type fixedRing struct {
	keyID   string
	wrapped []byte
	key     []byte
	err     error
}

func (f fixedRing) Wrap(context.Context, []byte, []byte) (string, []byte, error) {
	return f.keyID, f.wrapped, f.err
}

func (f fixedRing) Unwrap(context.Context, string, []byte, []byte) ([]byte, error) {
	return f.key, f.err
}

// openingRing unwraps, but fails to wrap after the allowed number of calls, at
// least one, which is needed to find out the primary key.
type openingRing struct {
	seal.KeyRing
	wraps, allowed int
}

func (o *openingRing) Wrap(ctx context.Context, key, additional []byte) (string, []byte, error) {
	if o.wraps++; o.wraps > max(1, o.allowed) {
		return "", nil, errLost
	}
	return o.KeyRing.Wrap(ctx, key, additional)
}

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("n%03d", i)
	}
	return all
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }
