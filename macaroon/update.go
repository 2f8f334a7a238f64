package macaroon

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Change describes a change of a named token. Nil fields stay unchanged.
type Change struct {
	Name    *string         // see [ValidateName]
	Custom  json.RawMessage // replaces the whole JSON object of the client
	Revoked *bool
	// Tightened replaces the caveats that were added after the token was
	// issued, as [Authority.Tighten] and [Authority.Loosen] do. Empty and not
	// nil: removes all.
	Tightened []caveat.Caveat
	Bait      *store.Bait // see [Named].Bait
	// Client is the verified token of the client that wants the change; nil if
	// it has none. If it has caveats, the change must not remove one from
	// Tightened, and Bait must be nil.
	Client *Auth
}

func (c Change) isEmpty() bool {
	return c.Name == nil && c.Custom == nil && c.Revoked == nil && c.Tightened == nil && c.Bait == nil
}

// Update changes a named token atomically.
//
// Errors:
//   - notFound if the id does not exist;
//   - missingAtLeastOneValue if all fields of the change are nil;
//   - badValueName;
//   - badValueIdentifierOccupied {key "name"};
//   - badValueJSON {key "customMetadata"} or malformedData;
//   - badValueCaveat {caveat}, as in Tighten;
//   - forbidden for a change that needs a client without caveats;
//   - limitReached beyond one of the [Quotas] or [WithMaxCaveats].
func (a *Authority) Update(ctx context.Context, id string, c Change) error {
	texts, err := a.validateChange(c)
	if err != nil {
		return err
	}
	var did changed
	err = a.store.UpdateToken(ctx, id, func(t *store.Token) error {
		did = changed{was: *t, bait: c.Bait != nil && *c.Bait != t.Bait, revoked: t.Revoked}
		did.updated = c.Name != nil || c.Custom != nil || did.bait
		if c.Name != nil {
			t.Name = *c.Name
		}
		if c.Custom != nil {
			t.Custom = c.Custom
		}
		if c.Revoked != nil {
			t.Revoked, did.revoked = *c.Revoked, *c.Revoked
		}
		if c.Bait != nil {
			t.Bait = *c.Bait
		}
		if c.Tightened != nil {
			if err := a.setAdditions(t, texts, &did); err != nil {
				return err
			}
			if did.loosened && c.Client.restricted() {
				return errors.Forbidden(onlyUnconfined)
			}
		}
		if c.Custom != nil {
			return a.quotas.checkRecord(*t)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("changing a named token: %w", err)
	}
	a.observeChange(ctx, did)
	return nil
}

// validateChange checks the new values, and returns the texts of the caveats.
func (a *Authority) validateChange(c Change) (texts []string, err error) {
	switch {
	case c.isEmpty():
		return nil, errors.MissingAtLeastOneValue("customMetadata", "name", "revoked")
	case c.Bait != nil && c.Client.restricted():
		return nil, errors.Forbidden(onlyUnconfined)
	}
	if c.Custom != nil {
		if _, err := a.customMetadata(c.Custom); err != nil {
			return nil, err
		}
	}
	if c.Name != nil {
		if err := ValidateName(*c.Name); err != nil {
			return nil, err
		}
	}
	return a.confiner.appendTexts(nil, c.Tightened)
}

// changed is what an update of a record changed.
type changed struct {
	was                 store.Token
	updated, bait       bool // the name, the metadata or the bait; the bait
	revoked             bool // afterwards
	tightened, loosened bool
}

// observeChange reports what an update changed.
func (a *Authority) observeChange(ctx context.Context, did changed) {
	event := func(kind EventKind) {
		a.observe(ctx, Event{Kind: kind, TokenID: did.was.ID, Subject: did.was.Subject})
	}
	if did.bait {
		// The answer to a canary must take the time of that to a revoked token.
		a.recognition.removeToken(did.was.ID)
	}
	switch {
	case did.revoked && !did.was.Revoked:
		a.recognition.removeToken(did.was.ID)
		event(Revoked)
	case did.was.Revoked && !did.revoked:
		event(Restored)
	}
	if did.updated {
		event(Updated)
	}
	if did.tightened {
		event(Tightened)
	}
	if did.loosened {
		event(Loosened)
	}
}
