package macaroon

import (
	"context"
	"fmt"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// RightManageTokens is the admin right to see, create, change and revoke the
// tokens of all subjects.
const RightManageTokens = "oz_tokens_manage"

// adminRights lists the admin rights of Onezone that concern tokens. All except
// RightManageTokens are about invitations, which [Inviters] of the application
// decide.
var adminRights = []string{
	"oz_atm_inventories_add_relationships", "oz_atm_inventories_set_privileges",
	"oz_clusters_add_relationships", "oz_clusters_set_privileges",
	"oz_groups_add_relationships", "oz_groups_set_privileges",
	"oz_harvesters_add_relationships", "oz_harvesters_set_privileges",
	"oz_providers_invite",
	"oz_spaces_add_relationships", "oz_spaces_set_privileges",
	RightManageTokens,
}

// AdminRights returns the names of the rights that users can be granted, sorted.
func AdminRights() []string { return slices.Clone(adminRights) }

// GrantRight grants an admin right to a user. It succeeds if the user has the
// right already. Errors: badValueNotAllowed {key "right"}, for a right that is
// not one of [AdminRights]; notFound.
func (a *Authority) GrantRight(ctx context.Context, user caveat.Subject, right string) error {
	return a.changeRight(ctx, user, right, RightGranted, func(rights []string) []string {
		if !slices.Contains(rights, right) {
			rights = append(rights, right)
			slices.Sort(rights)
		}
		return rights
	})
}

// WithdrawRight withdraws an admin right from a user. It succeeds if the user
// does not have the right. The errors are those of [Authority.GrantRight].
func (a *Authority) WithdrawRight(ctx context.Context, user caveat.Subject, right string) error {
	return a.changeRight(ctx, user, right, RightWithdrawn, func(rights []string) []string {
		return slices.DeleteFunc(rights, func(each string) bool { return each == right })
	})
}

func (a *Authority) changeRight(ctx context.Context, user caveat.Subject, right string, kind EventKind,
	change func(rights []string) []string,
) error {
	if !slices.Contains(adminRights, right) {
		return errors.BadValueNotAllowed("right", AdminRights()...)
	}
	if user.Type != caveat.SubjectUser {
		return errors.NotFound()
	}
	return a.administer(ctx, user, Event{Kind: kind, Right: right}, func(i *store.Identity) { i.Rights = change(i.Rights) })
}

// HasRight reports whether a user in the store has been granted the admin right
// and is not blocked. It is one look-up, so a right that was withdrawn is gone at
// once. Errors are operational.
func (a *Authority) HasRight(ctx context.Context, user caveat.Subject, right string) (bool, error) {
	i, err := a.store.GetIdentity(ctx, user)
	switch {
	case errors.Is(err, errors.IDNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking up the rights of a user: %w", err)
	}
	return !i.Blocked && slices.Contains(i.Rights, right), nil
}
