package macaroon

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
	"github.com/onezone-go/onezone/store"
)

// Grant says what a token is to grant.
type Grant struct {
	Subject caveat.Subject // who the token speaks for: a user or Oneprovider
	Type    Type
	Caveats []caveat.Caveat
	// Parent is what the token proves with which the client asks for this one.
	// The new token inherits its caveats, as [Authority.Inherit] describes; what
	// else is judged of a grant is judged without them. nil: the client has no
	// token.
	Parent *Auth

	// The rest is kept in the record of a named token; a temporary one has none.

	Custom  json.RawMessage // a JSON object of the client's; nil: {}
	Revoked bool            // the token is made revoked, to be restored later
	// Privileges of an invite token: what the new member may do. nil: the
	// defaults of the type. Setting any needs the subject's right to do so.
	Privileges []string
	// UsageLimit is how often an invite token can be consumed; 0: without limit.
	UsageLimit int64
}

// Issue makes a temporary token: nothing of it is stored, and it is revoked only
// together with all temporary tokens of its subject. It must carry a time caveat
// that ends within the maximum TTL of the authority.
//
// Errors: badValueTokenType {key "type"}; badValueCaveat {caveat} and the other
// errors of [Token.Confine]; for an invite token those of [Inviters];
// userBlocked, tokenSubjectInvalid, tokenSessionInvalid or tokenServiceForbidden
// where the token would be refused whatever its caveats;
// tokenTimeCaveatRequired {maxTtl}; forbidden and unauthorized for a Parent, as
// [Authority.Inherit] returns them; badData for a grant of what only a record
// can keep.
func (a *Authority) Issue(ctx context.Context, g Grant) (Token, error) {
	if g.Custom != nil || g.Revoked || g.Privileges != nil || g.UsageLimit != 0 {
		return Token{}, errors.BadDataHint("persistence", "only a named token has metadata, privileges and a usage limit, and can be made revoked")
	}
	if err := a.checkSpecified(ctx, g); err != nil {
		return Token{}, err
	}
	if err := a.checkGrant(ctx, g.Subject, g.Type, g.Caveats); err != nil {
		return Token{}, err
	}
	maxTTL := int64(a.maxTTL / time.Second)
	// Subtracted on this side, where nothing overflows: until is not negative.
	if until, ok := caveat.Expiry(g.Caveats); !ok || until-maxTTL > a.clock().Unix() {
		return Token{}, errors.TokenTimeCaveatRequired(maxTTL)
	}
	fresh, err := a.newSecret(ctx)
	if err != nil {
		return Token{}, err
	}
	key, err := a.store.EnsureTemporaryKey(ctx, g.Subject, fresh)
	if err != nil {
		return Token{}, fmt.Errorf("looking up the temporary secret: %w", err)
	}
	// Once more, because the subject may have been deleted, and the secret with it,
	// before this call made another: see DeleteUser.
	if err := a.checkActive(ctx, g.Subject, key.Holder); err != nil {
		return Token{}, err
	}
	id, err := a.newID()
	if err != nil {
		return Token{}, err
	}
	t, err := a.confiner.mint(Spec{
		Domain: a.domain, ID: id, Generation: key.Generation, Subject: g.Subject, Type: g.Type, Caveats: g.Caveats,
	}, key.Secret)
	if err == nil {
		t, err = a.Inherit(t, g.Parent)
	}
	if err != nil {
		return Token{}, err
	}
	a.issued(ctx, t)
	return t, nil
}

// IssueNamed makes a named token, which has a record: it can be listed, shown
// again, revoked and restored. The name must be unique among the tokens of the
// subject, and of the form that [ValidateName] wants.
//
// Errors, beside those of Issue: badValueName; badValueJSON {key
// "customMetadata"}, or malformedData for metadata that two JSON readers could
// understand differently; for an invite token badValueTooLow {key "usageLimit"} and
// badValueListNotAllowed {key "privileges"}, and badData for either of the two
// given to a type that has none; badValueIdentifierOccupied {key "name"};
// limitReached past one of the [Quotas].
func (a *Authority) IssueNamed(ctx context.Context, name string, g Grant) (Token, error) {
	if err := ValidateName(name); err != nil {
		return Token{}, err
	}
	custom, err := a.customMetadata(g.Custom)
	if err != nil {
		return Token{}, err
	}
	if err := checkInviteMetadata(g); err != nil {
		return Token{}, err
	}
	if err := a.checkSpecified(ctx, g); err != nil {
		return Token{}, err
	}
	// Where the store alone knows whether the subject may have the token, the
	// creation of the record tells.
	storeDecides := a.storeDecides(g)
	if !storeDecides {
		if err := a.checkGrant(ctx, g.Subject, g.Type, g.Caveats); err != nil {
			return Token{}, err
		}
	}
	// Minted before: what cannot be written as a token leaves no record.
	t, secret, err := a.mintNamed(ctx, g)
	record := store.Token{
		ID: t.ID(), Name: name, Version: t.Version(), Subject: g.Subject, Type: g.Type.String(),
		Caveats: t.Caveats(), Secret: secret, Created: a.clock().Unix(), Revoked: g.Revoked,
		Custom: custom, Privileges: g.privileges(), UsageLimit: g.UsageLimit,
	}
	if err == nil {
		err = a.checkQuotas(ctx, record)
	}
	if err != nil && storeDecides {
		err = cmp.Or(a.checkGrant(ctx, g.Subject, g.Type, g.Caveats), err) // the subject comes first
	}
	if err != nil {
		return Token{}, err
	}
	if err := a.keep(ctx, record); err != nil {
		return Token{}, err
	}
	a.issued(ctx, t)
	return t, nil
}

// storeDecides reports whether nobody but the store has to be asked whether the
// subject of the grant may have the token, and there can be such a subject.
func (a *Authority) storeDecides(g Grant) bool {
	_, limited := servicesOf(g.Caveats)
	return a.directory == nil && !limited && g.Type.Session() == "" && store.ValidateHolder(g.Subject) == nil
}

// mintNamed makes a token that is not known to anybody yet.
func (a *Authority) mintNamed(ctx context.Context, g Grant) (Token, store.Secret, error) {
	secret, err := a.newSecret(ctx)
	if err != nil {
		return Token{}, store.Secret{}, err
	}
	id, err := a.newID()
	if err != nil {
		return Token{}, store.Secret{}, err
	}
	t, err := a.confiner.mint(Spec{Domain: a.domain, ID: id, Subject: g.Subject, Type: g.Type, Caveats: g.Caveats}, secret)
	if err == nil {
		t, err = a.Inherit(t, g.Parent)
	}
	return t, secret, err
}

// keep stores the record of a named token if its subject is active, also when the
// record is there: a subject that is deleted at the same time may have had its
// other tokens removed before. See DeleteUser and Forget.
func (a *Authority) keep(ctx context.Context, record store.Token) error {
	if a.directory == nil {
		status, err := a.store.CreateToken(ctx, record, store.HolderActive)
		if err != nil {
			return fmt.Errorf("storing a named token: %w", err)
		}
		return refusedHolder(record.Subject, status)
	}
	if _, err := a.store.CreateToken(ctx, record, 0); err != nil {
		return fmt.Errorf("storing a named token: %w", err)
	}
	err := a.checkActive(ctx, record.Subject, store.HolderMissing)
	if err == nil {
		return nil
	}
	if removal := store.TakeBackToken(ctx, a.store, record.ID); removal != nil {
		return removal
	}
	return err
}

// LegacyTTL is how long a token of [Authority.IssueLegacy] is good for: a year.
const LegacyTTL = 31536000 * time.Second

// IssueLegacy makes a client token as old clients ask for: a named access token
// of the subject that is good for [LegacyTTL], with a name made of the time. It
// inherits the caveats of parent as [Grant].Parent. The errors are those of
// IssueNamed.
func (a *Authority) IssueLegacy(ctx context.Context, subject caveat.Subject, parent *Auth) (Token, error) {
	suffix, err := a.draw(3)
	if err != nil {
		return Token{}, err
	}
	now := a.clock().UTC()
	name := "access token " + now.Format("2006-01-02T15.04.05Z") + " " + suffix
	return a.IssueNamed(ctx, name, Grant{
		Subject: subject, Type: AccessToken(), Caveats: []caveat.Caveat{caveat.Until(now.Add(LegacyTTL))}, Parent: parent,
	})
}

// Confine returns a copy of the token with the caveats added, under the limits
// and in the vocabulary of the authority.
//
// Of a token whose signature is right, the subject must exist, not be blocked, and
// be allowed to use the services that the new caveats name; the caveats that the
// token has, and whether it is revoked, do not matter. Other tokens, and those of
// version 1, get the caveats and no check, so that the answer tells nothing about
// the subject that they claim.
//
// Errors: those of [Token.Confine]; limitReached for more than 1024 services; for
// a right signature userBlocked, tokenSubjectInvalid, tokenSessionInvalid and
// tokenServiceForbidden {service}.
func (a *Authority) Confine(ctx context.Context, t Token, cs ...caveat.Caveat) (Token, error) {
	// Before anybody is asked: it takes no right to the token to get here.
	if len(t.caveats)+len(cs) > a.confiner.maxCaveats {
		return Token{}, tooManyCaveats(a.confiner.maxCaveats)
	}
	if err := a.validate(cs); err != nil {
		return Token{}, err
	}
	if t.Version() == 2 {
		if err := a.checkConfined(ctx, &t, cs); err != nil {
			return Token{}, err
		}
	}
	return a.confiner.confine(t, cs)
}

// checkConfined decides whether the subject of the token may have it with these
// caveats, if the token is genuine.
func (a *Authority) checkConfined(ctx context.Context, t *Token, cs []caveat.Caveat) error {
	services, err := servicesToUse(cs)
	if err != nil {
		return err
	}
	key, err := a.key(ctx, t)
	if _, unknown := err.(*errors.Error); unknown {
		return nil
	}
	if err != nil {
		return err
	}
	if genuine, _ := t.genuine(key); !genuine {
		return nil
	}
	return a.checkHolder(ctx, t.Subject(), t.Type(), key.Holder, services...)
}

func (a *Authority) issued(ctx context.Context, t Token) {
	a.observe(ctx, Event{Kind: Issued, TokenID: t.ID(), Type: t.Type(), Subject: t.Subject()})
}

// checkSpecified decides whether a token of the grant can be made, for whomever.
func (a *Authority) checkSpecified(ctx context.Context, g Grant) error {
	if !g.Type.isComplete() {
		return errors.BadValueTokenType("type")
	}
	if err := a.validate(g.Caveats); err != nil {
		return err
	}
	return a.CheckInvitation(ctx, g)
}

// validate decides whether the caveats may enter a new token.
func (a *Authority) validate(cs []caveat.Caveat) error {
	for _, c := range cs {
		if err := a.confiner.vocabulary.Validate(c); err != nil {
			return err
		}
	}
	return nil
}

// CheckInvitation decides whether the subject of the grant may make the
// invitation that it is about, with the privileges that it sets, as
// [Authority.Issue] and [Authority.IssueNamed] do; nil for other types. It is for
// who has to report this before other faults of the grant. Errors: those of
// [Inviters].
func (a *Authority) CheckInvitation(ctx context.Context, g Grant) error {
	invite, target := g.Type.Invitation()
	if invite == 0 {
		return nil
	}
	return a.checkInvitation(ctx, Invitation{
		Inviter: g.Subject, Type: invite, Target: target,
		Privileges: g.privileges(), Custom: g.Privileges != nil,
	})
}

// checkInvitation delegates to Inviters. Without them no target exists.
func (a *Authority) checkInvitation(ctx context.Context, i Invitation) error {
	if a.inviters == nil {
		return errors.InviteTokenTargetIDInvalid(i.Target)
	}
	return a.inviters.CheckInvitation(ctx, i)
}

// checkInviteMetadata judges what only invite tokens have.
func checkInviteMetadata(g Grant) error {
	invite, _ := g.Type.Invitation()
	allowed := invite.AllowedPrivileges()
	switch {
	case g.UsageLimit < 0:
		return errors.BadValueTooLow("usageLimit", 1)
	case g.UsageLimit > 0 && invite == 0:
		return errors.BadDataHint("usageLimit", "only invite tokens have a usage limit")
	case g.Privileges == nil:
		return nil
	case allowed == nil:
		return errors.BadDataHint("privileges", "tokens of this type have no privileges")
	}
	for _, p := range g.Privileges {
		if !slices.Contains(allowed, p) {
			return errors.BadValueListNotAllowed("privileges", allowed...)
		}
	}
	return nil
}

// privileges returns what the record of the token keeps: a sorted set, nil for
// tokens without privileges.
func (g Grant) privileges() []string {
	invite, _ := g.Type.Invitation()
	if g.Privileges == nil {
		return invite.DefaultPrivileges()
	}
	set := append([]string{}, g.Privileges...) // empty is not nil
	slices.Sort(set)
	return slices.Compact(set)
}

func (a *Authority) customMetadata(custom json.RawMessage) (json.RawMessage, error) {
	if custom == nil {
		return json.RawMessage("{}"), nil
	}
	if err := a.quotas.checkCustomMetadata(custom); err != nil {
		return nil, err
	}
	object, err := strictjson.Parse(custom)
	switch {
	case err == nil && object != nil:
		return custom, nil
	case err != nil && utf8.Valid(custom) && json.Valid(custom):
		return nil, err // two readers of it could disagree
	}
	return nil, errors.BadValueJSON("customMetadata")
}
