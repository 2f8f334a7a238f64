package macaroon

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/store"
)

// Named is a named token with the content of its record. Printed with fmt or
// slog, or marshaled to JSON, it looks like the Token alone and shows no
// secret.
type Named struct {
	Token      // rebuilt, with the caveats that it was issued with
	Name       string
	Subject    caveat.Subject // also set for version 1 tokens, which do not contain it
	Created    time.Time      // in whole seconds
	Revoked    bool
	Custom     json.RawMessage // the client's JSON object
	Privileges []string        // of an invite token, sorted; nil for types without privileges
	UsageLimit int64           // of an invite token; 0: no limit
	UsageCount int64           // how often it was consumed

	// LastUse is nil if the authority does not record uses, see [WithLastUse],
	// and zero if no use was recorded.
	LastUse *store.Use

	Parent    string            // id of the token that minted it ([Grant].Parent), which may be gone; "": none
	Tightened []caveat.Addition // caveats that were added after it was issued: see [Authority.Tighten]
	// Bait is not 0 if the token is a canary, which nobody should use. Whoever
	// presents it, or a copy with a right signature, gets the answer of a
	// revoked token, and the observer gets an event of the kind BaitUsed.
	// [store.BaitRevokesFamily] also revokes its family: the tokens of the same
	// subject from which it was minted, and all that were minted with them.
	Bait store.Bait
}

// Expiry returns the earliest expiry among the time caveats of the token and of
// those that were added to it, in Unix seconds. ok is false if it has none.
func (n Named) Expiry() (validUntil int64, ok bool) {
	var onezone *caveat.Vocabulary
	return onezone.ParseList(n.Caveats()).With(n.Tightened).Expiry()
}

// Get returns the named token with the id, as it was issued. Before
// applications return it to a client that authenticated with a token, they
// should call [Authority.Inherit]. The error is notFound if the id does not
// exist.
func (a *Authority) Get(ctx context.Context, id string) (Named, error) {
	record, err := a.store.GetToken(ctx, id)
	if err != nil {
		return Named{}, fmt.Errorf("reading a named token: %w", err)
	}
	return a.withLastUse(ctx, record)
}

// Owner returns the subject of the named token with the id. Use it to decide
// whether a client may see a token, before calling [Authority.Get]: Owner reads
// only part of the record, so its timing does not reveal the content. The error
// is notFound if the id does not exist.
func (a *Authority) Owner(ctx context.Context, id string) (caveat.Subject, error) {
	key, err := a.store.NamedKey(ctx, id)
	if err != nil {
		return caveat.Subject{}, fmt.Errorf("looking up the subject of a named token: %w", err)
	}
	return key.Subject, nil
}

// GetByName returns the named token of the subject with exactly this name; see
// Get. The error is notFound if the subject has no such token.
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
		return a.Get(ctx, page[0].ID) // returns the reason why the secret cannot be opened
	}
	return a.withLastUse(ctx, page[0])
}

// withLastUse returns the token of a record with its last use.
func (a *Authority) withLastUse(ctx context.Context, r store.Token) (Named, error) {
	n, err := a.rebuild(r)
	if err != nil {
		return Named{}, err
	}
	page := []Named{n}
	if err := a.addLastUses(ctx, page); err != nil {
		return Named{}, err
	}
	return page[0], nil
}

// rebuild returns the token of a record. A record that has no valid token is an
// operational error, not the client's.
func (a *Authority) rebuild(r store.Token) (Named, error) {
	typ, err := ParseType(r.Type)
	if err != nil {
		return Named{}, operational.Error("reading the record of the token "+r.ID, err)
	}
	s := Spec{Version: r.Version, Domain: a.domain, ID: r.ID, Subject: r.Subject, Type: typ}
	t, err := Mint(s, r.Secret)
	if err == nil && len(r.Caveats) > 0 {
		// Texts, because these are the signed bytes. The limits on new tokens
		// do not apply, because they may have been different when this one was
		// issued.
		t, err = confiner{maxCaveats: len(r.Caveats), maxSize: math.MaxInt}.confineText(t, r.Caveats)
	}
	if err != nil {
		return Named{}, operational.Error("rebuilding the token "+r.ID+" from its record", err)
	}
	return Named{
		Token: t, Name: r.Name, Subject: r.Subject, Created: time.Unix(r.Created, 0).UTC(), Revoked: r.Revoked,
		Custom: r.Custom, Privileges: r.Privileges, UsageLimit: r.UsageLimit, UsageCount: r.UsageCount,
		Parent: r.Parent, Tightened: additions(r.Tightened), Bait: r.Bait,
	}, nil
}

// Delete removes a named token permanently and frees its name. Tokens that were
// minted with it remain valid: see [Authority.RevokeFamily] and
// [Authority.DeleteFamily]. The error is notFound if the id does not exist.
func (a *Authority) Delete(ctx context.Context, id string) error {
	if err := a.store.DeleteToken(ctx, id); err != nil {
		return fmt.Errorf("deleting a named token: %w", err)
	}
	a.recognition.removeToken(id)
	a.observe(ctx, Event{Kind: Deleted, TokenID: id})
	return nil
}

// DeleteAll removes all named tokens of the subject. Tokens that are issued
// concurrently may remain. The error is tokenSubjectInvalid for the zero
// Subject.
func (a *Authority) DeleteAll(ctx context.Context, subject caveat.Subject) error {
	if subject.IsZero() {
		return errors.TokenSubjectInvalid() // the zero Query would select the tokens of all subjects
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
