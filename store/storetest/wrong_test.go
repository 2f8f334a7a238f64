package storetest_test

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// wrongArchive is the memory store with a fault in Export or Import.
type wrongArchive struct {
	*memory.Store
	fault string

	mu       sync.Mutex
	exported map[string]store.Token // given out before, by "export shares memory"
	position string                 // one before the last, by "export forgets the position"
}

func (w *wrongArchive) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	if w.fault == "export forgets the position" {
		w.mu.Lock()
		defer w.mu.Unlock()
		if after != "" {
			after = w.position
		}
	}
	records, next, err := w.Store.Export(ctx, kind, after, limit)
	switch w.fault {
	case "export forgets the position":
		if w.position = ""; len(records) > 1 {
			_, w.position, _ = w.Store.Export(ctx, kind, after, len(records)-1)
		}
	case "export never ends":
		if next == "" {
			next = after
		}
	case "export ends early":
		if after != "" {
			next = ""
		}
	case "export drops the last":
		if next == "" && len(records) > 1 {
			records = records[:len(records)-1]
		}
	case "export redacts":
		for _, r := range records {
			if r.Identity != nil {
				r.Identity.Password = store.NewSecret(r.Identity.Password.String())
			}
		}
	case "export without generation":
		for _, r := range records {
			if r.Temporary != nil {
				r.Temporary.Generation = 1
			}
		}
	case "export ignores the limit":
		for next != "" && err == nil {
			var more []store.Record
			more, next, err = w.Store.Export(ctx, kind, next, limit)
			records = append(records, more...)
		}
	case "export shares memory":
		w.share(records)
	}
	return records, next, err
}

// share gives out records that GetToken gives out, too.
func (w *wrongArchive) share(records []store.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range records {
		if r.Token != nil {
			w.exported[r.Token.ID] = *r.Token
		}
	}
}

func (w *wrongArchive) GetToken(ctx context.Context, id string) (store.Token, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t, ok := w.exported[id]; ok {
		return t, nil
	}
	return w.Store.GetToken(ctx, id)
}

func (w *wrongArchive) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	key, err := w.Store.TemporaryKey(ctx, subject)
	if w.fault == "generations begin again" && err == nil && key.Generation == math.MaxInt64 {
		return 1, w.Store.Import(ctx, []store.Record{{Temporary: &store.Temporary{Subject: subject, Secret: secret, Generation: 1}}})
	}
	return w.Store.RotateTemporaryKey(ctx, subject, secret)
}

func (w *wrongArchive) Import(ctx context.Context, records []store.Record) error {
	switch w.fault {
	case "import one by one":
		for _, r := range records {
			if err := w.Store.Import(ctx, []store.Record{r}); err != nil {
				return err
			}
		}
		return ctx.Err()
	case "import in the order given":
		if !w.namesFree(ctx, records) {
			return errors.BadValueIdentifierOccupied("name")
		}
	case "import keeps the generation":
		records = slices.Clone(records)
		for i, r := range records {
			if r.Temporary != nil {
				records[i].Temporary = &store.Temporary{Subject: r.Temporary.Subject, Secret: r.Temporary.Secret, Generation: 1}
			}
		}
	case "import keeps the first":
		records = slices.Clone(records)
		slices.Reverse(records)
	case "import keeps what is there":
		records = slices.DeleteFunc(slices.Clone(records), func(r store.Record) bool {
			if r.Token == nil {
				return false
			}
			_, err := w.Store.GetToken(ctx, r.Token.ID)
			return err == nil
		})
	case "import adds to what is there":
		for _, r := range records {
			if r.Token == nil {
				continue
			}
			if _, err := w.Store.CreateToken(ctx, *r.Token, 0); err != nil {
				return errors.AlreadyExists()
			}
		}
	case "import counts generations itself":
		for _, r := range records {
			if r.Temporary == nil {
				continue
			}
			if _, err := w.Store.RotateTemporaryKey(ctx, r.Temporary.Subject, r.Temporary.Secret); err != nil {
				return err
			}
		}
		records = slices.DeleteFunc(slices.Clone(records), func(r store.Record) bool { return r.Temporary != nil })
	case "import skips the invalid":
		records = slices.DeleteFunc(slices.Clone(records), func(r store.Record) bool {
			return w.Store.Import(ctx, []store.Record{r}) != nil
		})
	case "import shares memory":
		defer w.share(records)
	}
	return w.Store.Import(ctx, records)
}

// namesFree reports whether each name of a token could be taken if the records were
// written one after the other.
func (w *wrongArchive) namesFree(ctx context.Context, records []store.Record) bool {
	for _, r := range records {
		if r.Token == nil {
			continue
		}
		page, _, _ := w.Store.ListTokens(ctx, store.Query{Subject: r.Token.Subject, Name: r.Token.Name})
		if len(page) > 0 && page[0].ID != r.Token.ID {
			return false
		}
	}
	return true
}

// wrongWatcher is the memory store with a fault in Watch.
type wrongWatcher struct {
	*memory.Store
	fault string

	mu       sync.Mutex
	observer func(store.Change) // of those who tell by themselves
}

func (w *wrongWatcher) Watch(ctx context.Context, observe func(store.Change)) error {
	if observe == nil && w.fault == "feed for nobody" {
		observe = func(store.Change) {}
	}
	if observe == nil {
		return w.Store.Watch(ctx, nil)
	}
	switch w.fault {
	case "feed outlives its context":
		return w.Store.Watch(context.WithoutCancel(ctx), observe)
	case "feed ends without an error":
		_ = w.Store.Watch(ctx, observe)
		return nil
	case "feed for one watcher":
		w.mu.Lock()
		defer w.mu.Unlock()
	case "writers wait for the observer", "feed ahead of the write":
		w.mu.Lock()
		w.observer = observe
		w.mu.Unlock()
	}
	return w.Store.Watch(ctx, func(c store.Change) {
		switch {
		case c.Kind == store.FeedUp && w.fault == "feed without FeedUp":
		case c.Kind == store.TemporaryChanged && w.fault == "feed without temporary secrets":
		case c.Kind == store.IdentityChanged && w.fault == "feed without identities":
		case c.Kind == store.TokenChanged && w.fault == "feed with another id":
			observe(store.Change{Kind: c.Kind, TokenID: "name of " + c.TokenID})
		default:
			observe(c)
		}
	})
}

func (w *wrongWatcher) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	holder, err := w.Store.CreateToken(ctx, t, require)
	w.mu.Lock()
	observe := w.observer
	w.mu.Unlock()
	if observe != nil && w.fault == "writers wait for the observer" {
		observe(store.Change{Kind: store.TokenChanged, TokenID: t.ID})
	}
	return holder, err
}

// UpdateToken reports the change before it writes it.
func (w *wrongWatcher) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	if w.fault == "feed ahead of the write" {
		w.mu.Lock()
		observe := w.observer
		w.mu.Unlock()
		observe(store.Change{Kind: store.TokenChanged, TokenID: id})
	}
	return w.Store.UpdateToken(ctx, id, change)
}

// wrongReplacer is the memory store with a fault in ReplaceTemporarySecret.
type wrongReplacer struct {
	*memory.Store
	fault string
}

func (w *wrongReplacer) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	key, err := w.Store.TemporaryKey(ctx, subject)
	switch {
	case w.fault == "replace makes a key" && err != nil:
		_, err := w.Store.EnsureTemporaryKey(ctx, subject, secret)
		return false, err
	case w.fault == "replace does not ask for the old secret":
		old = key.Secret
	case w.fault == "replace rotates" && err == nil && key.Secret.Equal(old):
		_, err := w.Store.RotateTemporaryKey(ctx, subject, secret)
		return err == nil, err
	case w.fault == "replace takes an empty secret" && secret.IsZero():
		return true, nil
	case w.fault == "replace in two steps" && err == nil && key.Secret.Equal(old):
		for range 100 {
			runtime.Gosched()
		}
		err := w.Store.Import(ctx, []store.Record{{Temporary: &store.Temporary{Subject: subject, Secret: secret, Generation: key.Generation}}})
		return err == nil, err
	}
	return w.Store.ReplaceTemporarySecret(ctx, subject, old, secret)
}

// wrongGuard is the memory store with a fault in CreateToken, as far as an active
// holder is required.
type wrongGuard struct {
	*memory.Store
	fault string

	mu   sync.Mutex
	seen map[caveat.Subject]store.Status // by "guard creates before it is blocked"
}

func (w *wrongGuard) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	switch {
	case require != store.HolderActive && w.fault == "guard takes any requirement":
		require = 0
	case require == 0 && w.fault == "guard tells what nobody asked":
		_, err := w.Store.CreateToken(ctx, t, 0)
		return store.HolderActive, err
	}
	if require != store.HolderActive {
		return w.Store.CreateToken(ctx, t, require)
	}
	subject := t.Subject
	if w.fault == "guard ignores its context" {
		ctx = context.WithoutCancel(ctx)
	}
	if w.fault == "guard asks by id" {
		subject.Type = caveat.SubjectUser
	}
	i, err := w.Store.GetIdentity(ctx, subject)
	holder := i.Status()
	if errors.Is(err, errors.IDNotFound) {
		holder, err = store.HolderMissing, nil
	}
	if err != nil {
		return 0, err
	}
	if err := t.Validate(); err != nil && w.fault != "guard asks for the subject first" {
		return 0, err
	}
	if w.fault == "guard creates before it is blocked" {
		holder = w.remembered(t.Subject, holder)
	}
	switch {
	case w.fault == "guard asks nobody",
		w.fault == "guard lets the missing pass" && holder == store.HolderMissing,
		w.fault == "guard lets the blocked pass" && holder == store.HolderBlocked:
		holder = store.HolderActive
	case w.fault == "guard asks for uniqueness first":
		if _, err := w.Store.GetToken(ctx, t.ID); err == nil {
			return 0, errors.AlreadyExists()
		}
	}
	if holder != store.HolderActive || w.fault == "guard writes nothing" {
		return holder, nil
	}
	if w.fault == "guard overwrites" {
		_ = w.Store.DeleteToken(ctx, t.ID)
	}
	switch w.fault {
	case "":
		return w.Store.CreateToken(ctx, t, require)
	case "guard creates after it looked":
		for range 100 {
			runtime.Gosched()
		}
	}
	if _, err = w.Store.CreateToken(ctx, t, 0); err != nil && w.fault != "guard answers with an error" {
		holder = 0
	}
	return holder, err
}

// remembered returns what the subject was when it was first asked about.
func (w *wrongGuard) remembered(subject caveat.Subject, holder store.Status) store.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = make(map[caveat.Subject]store.Status)
	}
	if first, ok := w.seen[subject]; ok {
		return first
	}
	w.seen[subject] = holder
	return holder
}

// wrongCloser is the memory store that fails to close.
type wrongCloser struct{ *memory.Store }

func (wrongCloser) Close() error { return errors.New("still in use") }
