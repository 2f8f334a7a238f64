package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// CreateProvider registers a Oneprovider with the id. Tokens and the temporary
// secret of a former Oneprovider with that id are removed, as by
// [Authority.Forget]. The methods SetBlocked and DeleteUser take its subject.
//
// Errors:
//   - badValueIdentifier {key "id"}: it must have 1 to 64 letters, digits, dashes
//     and underscores, and be neither "null" nor "self";
//   - alreadyExists if the id is in use.
func (a *Authority) CreateProvider(ctx context.Context, id string) (caveat.Subject, error) {
	if err := validateHolderID(id); err != nil {
		return caveat.Subject{}, err
	}
	i := store.Identity{Subject: caveat.Provider(id), Created: a.clock().Unix(), Blocked: true}
	if err := a.store.CreateIdentity(ctx, i); err != nil {
		return caveat.Subject{}, fmt.Errorf("storing a Oneprovider: %w", err)
	}
	if err := a.activateReusedID(ctx, i.Subject); err != nil {
		return caveat.Subject{}, err
	}
	a.observe(ctx, Event{Kind: ProviderCreated, Subject: i.Subject})
	return i.Subject, nil
}
