package macaroon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Tighten adds caveats to the record of a named token that was issued before.
// Every later verification holds the token and all its copies to them, in
// addition to the caveats that they carry. Once Tighten has returned, no
// verification that begins later accepts the token otherwise; authorities in
// other processes follow as soon as they learn of a revocation. Caveats that
// were added before are not repeated.
//
// The text of the token does not change. So a verification without the record
// ([Token.Verify]) does not know the added caveats.
//
// Errors:
//   - notFound if the id does not exist;
//   - badValueEmpty {key "caveats"} for no caveats;
//   - badValueCaveat {caveat}, also for a caveat that tokens of this type do
//     not support;
//   - limitReached beyond [WithMaxCaveats], counting the caveats of the token,
//     and beyond one of the [Quotas].
func (a *Authority) Tighten(ctx context.Context, id string, cs ...caveat.Caveat) error {
	return a.editAdditions(ctx, id, cs, func(old, given []string) ([]string, error) {
		for _, text := range given {
			if !slices.Contains(old, text) {
				old = append(old, text)
			}
		}
		return old, nil
	})
}

// Loosen removes caveats that [Authority.Tighten] added. It cannot remove those
// that the token carries itself. Applications should let only clients loosen a
// token that have no caveats themselves ([Auth.IsConfined]).
//
// Errors: notFound, badValueEmpty and badValueCaveat {caveat} as in Tighten;
// badValueCaveat also for a caveat that was not added.
func (a *Authority) Loosen(ctx context.Context, id string, cs ...caveat.Caveat) error {
	return a.editAdditions(ctx, id, cs, func(old, given []string) ([]string, error) {
		for _, text := range given {
			i := slices.Index(old, text)
			if i < 0 {
				return nil, badCaveat(text, "the owner has not added it to this token")
			}
			old = slices.Delete(old, i, i+1)
		}
		return old, nil
	})
}

func badCaveat(text, problem string) error {
	err := errors.BadValueCaveat(text)
	err.Description = "Bad value: provided caveat is not valid: " + problem + "."
	return err
}

// editAdditions replaces the texts that the owner of a token added by the result
// of edit, which gets them and the texts of the given caveats.
func (a *Authority) editAdditions(ctx context.Context, id string, cs []caveat.Caveat, edit func(old, given []string) ([]string, error)) error {
	if len(cs) == 0 {
		return errors.BadValueEmpty("caveats")
	}
	given, err := a.confiner.appendTexts(nil, cs)
	if err != nil {
		return err
	}
	var did changed
	err = a.store.UpdateToken(ctx, id, func(t *store.Token) error {
		did = changed{was: *t, revoked: t.Revoked}
		var old []string
		for _, c := range t.Tightened {
			old = append(old, c.Text)
		}
		texts, err := edit(old, given)
		if err != nil {
			return err
		}
		return a.setAdditions(t, texts, &did)
	})
	if err != nil {
		return fmt.Errorf("changing the caveats of a named token: %w", err)
	}
	a.observeChange(ctx, did)
	return nil
}

// setAdditions replaces what the owner added to the record by caveats with these
// texts. Existing ones keep their time.
func (a *Authority) setAdditions(t *store.Token, texts []string, did *changed) error {
	typ, err := ParseType(t.Type)
	if err != nil {
		return fmt.Errorf("reading the record of the token %s: %w", t.ID, errors.New(err.Error()))
	}
	now := a.clock().Unix()
	var updated []store.OwnerCaveat
	for _, text := range texts {
		if slices.ContainsFunc(updated, func(c store.OwnerCaveat) bool { return c.Text == text }) {
			continue
		}
		i := slices.IndexFunc(t.Tightened, func(c store.OwnerCaveat) bool { return c.Text == text })
		if i >= 0 {
			updated = append(updated, t.Tightened[i])
			continue
		}
		if kind := a.Vocabulary().ParseList([]string{text}).TypeOf(0); !kind.SupportedBy(typ.use(false)) {
			return badCaveat(text, fmt.Sprintf("%s tokens do not support %s caveats", typ.Class(), kind))
		}
		updated, did.tightened = append(updated, store.OwnerCaveat{Text: text, Added: now}), true
	}
	did.loosened = slices.ContainsFunc(t.Tightened, func(c store.OwnerCaveat) bool { return !slices.Contains(texts, c.Text) })
	t.Tightened = updated
	if !did.tightened {
		return nil
	}
	if limit := a.confiner.maxCaveats; len(t.Caveats)+len(updated) > limit {
		return tooManyCaveats(limit)
	}
	return a.quotas.checkRecord(*t)
}

// additions converts what the owner of a token added to its record.
func additions(kept []store.OwnerCaveat) (all []caveat.Addition) {
	for _, c := range kept {
		all = append(all, caveat.Addition{Text: c.Text, Added: time.Unix(c.Added, 0).UTC()})
	}
	return all
}

// Additions returns the caveats that the owner of the token added to its record
// ([Authority.Tighten]). There are none for temporary tokens. For a token whose
// signature is not right, the result is that of a token without additions, so
// that only somebody who has the token learns about them.
func (a *Authority) Additions(ctx context.Context, t Token) ([]caveat.Addition, error) {
	if t.IsZero() || t.Generation() > 0 {
		return nil, nil
	}
	key, err := a.key(ctx, &t)
	if _, unknown := err.(*errors.Error); unknown {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if genuine, _ := t.genuine(&key); !genuine {
		return nil, nil
	}
	return additions(key.Tightened), nil
}

// Tighten returns the candidate with caveats that its owner added to the record
// at the Onezone that issued the token, so that Vouched checks them, too.
func (c Candidate) Tighten(additions []caveat.Addition) Candidate {
	c.caveats = c.caveats.With(additions)
	return c
}
