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

// Grant describes a token to issue.
type Grant struct {
	Subject caveat.Subject // on whose behalf the token acts: a user or Oneprovider
	Type    Type
	Caveats []caveat.Caveat
	// Parent is the verified token with which the client authenticated; nil if
	// it has none. The new token inherits its caveats: see [Authority.Inherit].
	// All other checks ignore the inherited caveats. The record of a named token
	// keeps the id of the parent: see [Authority.Family].
	Parent *Auth

	// The remaining fields belong to the record of a named token. They must be
	// zero for a temporary token.

	Custom  json.RawMessage // the client's metadata, a JSON object; nil: {}
	Revoked bool            // the token is created revoked, to be restored later
	// Privileges that an invite token grants to the new member. nil: the
	// defaults of the type. The subject must have the right to set privileges.
	Privileges []string
	// UsageLimit limits how often an invite token can be consumed; 0: no limit.
	UsageLimit int64
	// Bait makes the token a canary; 0: an ordinary token. See [Named].Bait.
	Bait store.Bait

	id string // of the token; "": a random one
}

// Issue issues a temporary token. No record of it is stored, so it can be
// revoked only together with all temporary tokens of its subject. It must carry
// a time caveat that ends within the limit of [WithMaxTemporaryTTL].
//
// Errors:
//   - badValueTokenType {key "type"};
//   - badValueCaveat {caveat} and the other errors of [Token.Confine];
//   - those of [Inviters], for an invite token;
//   - userBlocked, tokenSubjectInvalid, tokenSessionInvalid or
//     tokenServiceForbidden if no verification could succeed;
//   - tokenTimeCaveatRequired {maxTtl};
//   - forbidden and unauthorized for Parent, as in [Authority.Inherit], and
//     unauthorized for a temporary one of a family that was revoked;
//   - badData for a field that only named tokens support.
func (a *Authority) Issue(ctx context.Context, g Grant) (Token, error) {
	if g.Custom != nil || g.Revoked || g.Privileges != nil || g.UsageLimit != 0 || g.Bait != 0 {
		return Token{}, errors.BadDataHint("persistence",
			"only named tokens support metadata, privileges, a usage limit, creation as revoked and bait")
	}
	if err := a.validateGrant(ctx, g); err != nil {
		return Token{}, err
	}
	if err := a.checkGrant(ctx, g.Subject, g.Type, g.Caveats); err != nil {
		return Token{}, err
	}
	maxTTL := int64(a.maxTTL / time.Second)
	// until is not negative, so this subtraction cannot overflow.
	if until, ok := caveat.Expiry(g.Caveats); !ok || until-maxTTL > a.clock().Unix() {
		return Token{}, errors.TokenTimeCaveatRequired(maxTTL)
	}
	if g.Parent != nil && g.Parent.temporary {
		if err := a.checkParent(ctx, g); err != nil {
			return Token{}, err
		}
	}
	fresh, err := a.newSecret(ctx)
	if err != nil {
		return Token{}, err
	}
	key, err := a.store.EnsureTemporaryKey(ctx, g.Subject, fresh)
	if err != nil {
		return Token{}, fmt.Errorf("looking up the temporary secret: %w", err)
	}
	// Checked again, because the subject and its secret may have been deleted
	// before this call created a new secret: see DeleteUser.
	if err := a.checkActive(ctx, g.Subject, key.Holder); err != nil {
		return Token{}, err
	}
	t, err := a.mint(g, key.Generation, key.Secret)
	if err != nil {
		return Token{}, err
	}
	a.observeIssued(ctx, t)
	return t, nil
}

// IssueNamed issues a named token. Its record is stored, so it can be listed,
// read again, revoked and restored. The name must be valid ([ValidateName]) and
// unique among the tokens of the subject.
//
// Errors, in addition to those of Issue:
//   - badValueName;
//   - badValueIdentifierOccupied {key "name"};
//   - badValueJSON {key "customMetadata"}, or malformedData for metadata that
//     two JSON parsers could interpret differently;
//   - badValueTooLow {key "usageLimit"} and badValueListNotAllowed {key
//     "privileges"};
//   - badData for a usage limit or privileges if the type has none;
//   - forbidden for a Bait if the Parent has caveats;
//   - unauthorized if the Parent was revoked or deleted concurrently;
//   - limitReached beyond one of the [Quotas].
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
	if g.Bait != 0 && g.Parent.restricted() {
		return Token{}, errors.Forbidden(onlyUnconfined)
	}
	if err := a.validateGrant(ctx, g); err != nil {
		return Token{}, err
	}
	// If only the store knows whether the subject may have the token,
	// CreateToken checks it.
	storeDecides := a.storeDecides(g)
	if !storeDecides {
		if err := a.checkGrant(ctx, g.Subject, g.Type, g.Caveats); err != nil {
			return Token{}, err
		}
	}
	// Minted before the record is created, so that a failure leaves no record.
	var t Token
	secret, err := a.newSecret(ctx)
	if err == nil {
		t, err = a.mint(g, 0, secret)
	}
	record := store.Token{
		ID: t.ID(), Name: name, Version: t.Version(), Subject: g.Subject, Type: g.Type.String(),
		Caveats: t.Caveats(), Secret: secret, Created: a.clock().Unix(), Revoked: g.Revoked,
		Custom: custom, Privileges: g.privileges(), UsageLimit: g.UsageLimit, Parent: g.parentOf(), Bait: g.Bait,
	}
	if err == nil {
		err = a.checkQuotas(ctx, record)
	}
	if err != nil && storeDecides {
		err = cmp.Or(a.checkGrant(ctx, g.Subject, g.Type, g.Caveats), err) // an error about the subject has precedence
	}
	if err != nil {
		return Token{}, err
	}
	if err := a.createRecord(ctx, record, g); err != nil {
		return Token{}, err
	}
	a.observeIssued(ctx, t)
	return t, nil
}

// storeDecides reports whether the store alone can decide whether the subject
// of the grant may have the token.
func (a *Authority) storeDecides(g Grant) bool {
	_, limited := servicesOf(g.Caveats)
	return a.directory == nil && !limited && g.Type.Session() == "" && store.ValidateHolder(g.Subject) == nil
}

// mint mints the token of the grant, with a new id, and stores nothing.
// generation is that of the secret of a temporary token.
func (a *Authority) mint(g Grant, generation int64, secret store.Secret) (Token, error) {
	id := g.id
	if id == "" {
		var err error
		if id, err = a.newID(); err != nil {
			return Token{}, err
		}
		if origin, ok := g.Parent.origin(); ok && generation > 0 {
			id += originSeparator + origin
		}
	}
	t, err := a.confiner.mint(Spec{
		Domain: a.domain, ID: id, Generation: generation, Subject: g.Subject, Type: g.Type, Caveats: g.Caveats,
	}, secret)
	if err != nil {
		return Token{}, err
	}
	return a.Inherit(t, g.Parent)
}

// createRecord stores the record of a named token. The subject must still be
// active once the record exists, because a concurrent deletion of the subject
// may have removed its tokens before. See DeleteUser and Forget. The same holds
// for the token that mints it. See RevokeFamily.
func (a *Authority) createRecord(ctx context.Context, record store.Token, g Grant) error {
	require := store.HolderActive
	if a.directory != nil {
		require = 0 // the directory decides
	}
	status, err := a.store.CreateToken(ctx, record, require)
	if err != nil {
		return fmt.Errorf("storing a named token: %w", err)
	}
	if err = a.checkActive(ctx, record.Subject, status); err != nil && a.directory == nil {
		return err // not created
	}
	if err == nil {
		err = a.checkParent(ctx, g)
	}
	if err == nil {
		return nil
	}
	if removal := store.TakeBackToken(ctx, a.store, record.ID); removal != nil {
		return removal
	}
	return err
}

// legacyTTL is the lifetime of a legacy token: 365 days.
const legacyTTL = 31536000 * time.Second

// IssueLegacy issues a client token of the legacy API. It is a named access
// token of the subject, valid for 365 days, whose name contains the time. It
// inherits the caveats of parent, as with [Grant].Parent. The errors are those
// of IssueNamed.
func (a *Authority) IssueLegacy(ctx context.Context, subject caveat.Subject, parent *Auth) (Token, error) {
	suffix, err := a.randomHex(3)
	if err != nil {
		return Token{}, err
	}
	now := a.clock().UTC()
	name := "access token " + now.Format("2006-01-02T15.04.05Z") + " " + suffix
	return a.IssueNamed(ctx, name, Grant{
		Subject: subject, Type: AccessToken(), Caveats: []caveat.Caveat{caveat.Until(now.Add(legacyTTL))}, Parent: parent,
	})
}

// Confine returns a copy of the token with the caveats added, under the limits
// and in the vocabulary of the authority.
//
// If the signature is valid, the subject must exist, must not be blocked, and
// must be allowed to use the services that the new caveats name. Existing
// caveats and revocation are not checked. If the signature is invalid, or the
// token has version 1, Confine adds the caveats without these checks, so that
// the answer reveals nothing about the subject that the token claims.
//
// Errors:
//   - those of [Token.Confine];
//   - limitReached for more than 1024 services;
//   - with a valid signature userBlocked, tokenSubjectInvalid,
//     tokenSessionInvalid and tokenServiceForbidden {service}.
func (a *Authority) Confine(ctx context.Context, t Token, cs ...caveat.Caveat) (Token, error) {
	// Checked before any lookup, because unauthenticated clients get here.
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

// checkConfined checks that the subject may have the token with these caveats,
// if the token is genuine.
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
	if genuine, _ := t.genuine(&key); !genuine {
		return nil
	}
	return a.checkHolder(ctx, t.Subject(), t.Type(), key.Holder, services...)
}

func (a *Authority) observeIssued(ctx context.Context, t Token) {
	a.observe(ctx, Event{Kind: Issued, TokenID: t.ID(), Type: t.Type(), Subject: t.Subject()})
}

// validateGrant checks the type, caveats and invitation of the grant. It does
// not check the subject.
func (a *Authority) validateGrant(ctx context.Context, g Grant) error {
	if !g.Type.isComplete() {
		return errors.BadValueTokenType("type")
	}
	if err := a.validate(g.Caveats); err != nil {
		return err
	}
	return a.CheckInvitation(ctx, g)
}

// validate checks that a new token may carry the caveats.
func (a *Authority) validate(cs []caveat.Caveat) error {
	for _, c := range cs {
		if err := a.confiner.vocabulary.Validate(c); err != nil {
			return err
		}
	}
	return nil
}

// CheckInvitation checks that the subject of the grant may issue its
// invitation, with its privileges. [Authority.Issue] and [Authority.IssueNamed]
// make the same check; call CheckInvitation to report this error before other
// errors of the grant. It returns nil for grants of other types. Errors: those
// of [Inviters].
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

// checkInvitation delegates to Inviters; by default no target exists.
func (a *Authority) checkInvitation(ctx context.Context, i Invitation) error {
	if a.inviters == nil {
		return errors.InviteTokenTargetIDInvalid(i.Target)
	}
	return a.inviters.CheckInvitation(ctx, i)
}

// checkInviteMetadata checks the fields that only invite tokens support.
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

// privileges returns the privileges for the token's record, sorted and without
// duplicates. It returns nil for types without privileges.
func (g Grant) privileges() []string {
	invite, _ := g.Type.Invitation()
	if g.Privileges == nil {
		return invite.DefaultPrivileges()
	}
	set := append([]string{}, g.Privileges...) // keeps an empty list distinct from nil
	slices.Sort(set)
	return slices.Compact(set)
}

func (a *Authority) customMetadata(custom json.RawMessage) (json.RawMessage, error) {
	if custom == nil {
		return json.RawMessage("{}"), nil
	}
	if most := a.quotas.CustomMetadata; len(custom) > most {
		return nil, errors.LimitReached(most, "bytes of custom metadata")
	}
	object, err := strictjson.Parse(custom)
	switch {
	case err == nil && object != nil:
		return custom, nil
	case err != nil && utf8.Valid(custom) && json.Valid(custom):
		return nil, err // two JSON parsers could interpret it differently
	}
	return nil, errors.BadValueJSON("customMetadata")
}
