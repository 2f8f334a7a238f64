package macaroon

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/environment"
	"github.com/onezone-go/onezone/store"
)

// Named is a named token together with what its record says. Its forms in JSON,
// under fmt and in slog are those of the Token alone, which show no secret.
type Named struct {
	Token      // rebuilt, with the caveats that it was issued with
	Name       string
	Subject    caveat.Subject // of the record, which also knows that of a version 1 token
	Created    time.Time      // in whole seconds
	Revoked    bool
	Custom     json.RawMessage // the client's JSON object
	Privileges []string        // of an invite token, sorted; nil where its type has none
	UsageLimit int64           // of an invite token; 0: without limit
	UsageCount int64           // how often it was consumed
}

// Get returns the named token with the id, as it was issued. Applications that
// show it to a client with a token of its own should call [Authority.Inherit]
// first. notFound: there is none.
func (a *Authority) Get(ctx context.Context, id string) (Named, error) {
	record, err := a.store.GetToken(ctx, id)
	if err != nil {
		return Named{}, fmt.Errorf("reading a named token: %w", err)
	}
	return a.rebuild(record)
}

// Owner returns the subject of the named token with the id. It does not read all
// of the record, so the time it takes does not tell what the record holds: decide
// with it whether a client may see a token, before calling [Authority.Get].
// notFound: there is none.
func (a *Authority) Owner(ctx context.Context, id string) (caveat.Subject, error) {
	key, err := a.store.NamedKey(ctx, id)
	if err != nil {
		return caveat.Subject{}, fmt.Errorf("looking up the subject of a named token: %w", err)
	}
	return key.Subject, nil
}

// GetByName returns the named token of the subject that has exactly this name,
// as Get does. notFound: there is none.
func (a *Authority) GetByName(ctx context.Context, subject caveat.Subject, name string) (Named, error) {
	if subject.IsZero() || name == "" {
		return Named{}, errors.NotFound()
	}
	page, _, err := a.store.ListTokens(ctx, store.Query{Subject: subject, Name: name, Limit: 1})
	if err != nil {
		return Named{}, fmt.Errorf("reading a named token: %w", err)
	}
	if len(page) == 0 {
		return Named{}, errors.NotFound()
	}
	if page[0].Secret.IsZero() {
		return a.Get(ctx, page[0].ID) // tells why the secret does not open
	}
	return a.rebuild(page[0])
}

// rebuild makes the token of a record again. That it cannot be made is a fault of
// the store, not of who asks for it.
func (a *Authority) rebuild(r store.Token) (Named, error) {
	typ, err := ParseType(r.Type)
	if err != nil {
		return Named{}, environment.Error("reading the record of the token "+r.ID, err)
	}
	s := Spec{Version: r.Version, Domain: a.domain, ID: r.ID, Subject: r.Subject, Type: typ}
	t, err := Mint(s, r.Secret)
	if err == nil && len(r.Caveats) > 0 {
		// As texts, because that is what was signed; without the limits on new
		// tokens, which may have been others when this one was made.
		t, err = confiner{maxCaveats: len(r.Caveats), maxSize: math.MaxInt}.confineText(t, r.Caveats)
	}
	if err != nil {
		return Named{}, environment.Error("rebuilding the token "+r.ID+" from its record", err)
	}
	return Named{
		Token: t, Name: r.Name, Subject: r.Subject, Created: time.Unix(r.Created, 0).UTC(), Revoked: r.Revoked,
		Custom: r.Custom, Privileges: r.Privileges, UsageLimit: r.UsageLimit, UsageCount: r.UsageCount,
	}, nil
}

// Change says what of a named token is to change. What is nil stays.
type Change struct {
	Name    *string         // see [ValidateName]
	Custom  json.RawMessage // replaces the client's JSON object as a whole
	Revoked *bool
}

// Update changes a named token, all or nothing. Errors: notFound;
// badValueName; badValueJSON {key "customMetadata"} or malformedData;
// badValueIdentifierOccupied {key "name"}; missingAtLeastOneValue where nothing is to change; limitReached
// past one of the [Quotas].
func (a *Authority) Update(ctx context.Context, id string, c Change) error {
	if c.Name == nil && c.Custom == nil && c.Revoked == nil {
		return errors.MissingAtLeastOneValue("customMetadata", "name", "revoked")
	}
	if c.Custom != nil {
		if _, err := a.customMetadata(c.Custom); err != nil {
			return err
		}
	}
	if c.Name != nil {
		if err := ValidateName(*c.Name); err != nil {
			return err
		}
	}
	var subject caveat.Subject
	var was bool
	err := a.store.UpdateToken(ctx, id, func(t *store.Token) error {
		subject, was = t.Subject, t.Revoked
		if c.Name != nil {
			t.Name = *c.Name
		}
		if c.Custom != nil {
			t.Custom = c.Custom
		}
		if c.Revoked != nil {
			t.Revoked = *c.Revoked
		}
		if c.Custom != nil {
			return a.quotas.checkRecord(*t)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("changing a named token: %w", err)
	}
	if c.Revoked != nil && *c.Revoked != was {
		kind := Restored
		if *c.Revoked {
			kind = Revoked
			a.recognition.removeToken(id)
		}
		a.observe(ctx, Event{Kind: kind, TokenID: id, Subject: subject})
	}
	if c.Name != nil || c.Custom != nil {
		a.observe(ctx, Event{Kind: Updated, TokenID: id, Subject: subject})
	}
	return nil
}

// Rename gives a named token another name. Errors: those of Update.
func (a *Authority) Rename(ctx context.Context, id, name string) error {
	return a.Update(ctx, id, Change{Name: &name})
}

// Revoke makes a named token and all copies of it stop working until it is
// restored. notFound: there is no such token.
func (a *Authority) Revoke(ctx context.Context, id string) error {
	revoked := true
	return a.Update(ctx, id, Change{Revoked: &revoked})
}

// Restore makes a revoked token work again, but not the confined copies that were
// revoked by themselves. notFound: there is no such token.
func (a *Authority) Restore(ctx context.Context, id string) error {
	revoked := false
	return a.Update(ctx, id, Change{Revoked: &revoked})
}

// Delete removes a named token for ever and frees its name. notFound: there is
// no such token.
func (a *Authority) Delete(ctx context.Context, id string) error {
	if err := a.store.DeleteToken(ctx, id); err != nil {
		return fmt.Errorf("deleting a named token: %w", err)
	}
	a.recognition.removeToken(id)
	a.observe(ctx, Event{Kind: Deleted, TokenID: id})
	return nil
}

// DeleteAll removes all named tokens that the subject has. Tokens that are made
// meanwhile may stay.
func (a *Authority) DeleteAll(ctx context.Context, subject caveat.Subject) error {
	if subject.IsZero() {
		return errors.TokenSubjectInvalid() // the zero Query would select everybody's
	}
	var after store.Cursor
	for {
		page, next, err := a.ListIDs(ctx, store.Query{Subject: subject, After: after, Limit: store.MaxPage})
		if err != nil {
			return err
		}
		for _, id := range page {
			if err := a.Delete(ctx, id); err != nil && !errors.Is(err, errors.IDNotFound) {
				return err
			}
		}
		if after = next; after.IsZero() {
			return nil
		}
	}
}
