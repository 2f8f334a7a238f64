package macaroon

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// Directory knows the parties that hold tokens, for an application that keeps
// its users elsewhere than in the store.
type Directory interface {
	// Holder tells whether the user or Oneprovider exists and is not blocked.
	// It is asked at every verification, after the signature, and twice for a new
	// token: the second time when its record is stored. A cached answer must not
	// outlive the deletion of the subject, or tokens that are issued meanwhile
	// stay: see [Authority.Forget].
	Holder(ctx context.Context, subject caveat.Subject) (store.Status, error)
}

// Sessions knows the sessions that access tokens may be bound to.
type Sessions interface {
	// BelongsTo reports whether the session exists and is the user's. A session
	// that has ended belongs to nobody.
	BelongsTo(ctx context.Context, session string, user caveat.Subject) (bool, error)
}

// Memberships knows which users may use which services.
type Memberships interface {
	// InProvider reports whether the user is an effective user of the
	// Oneprovider, whose worker it may then use tokens with.
	InProvider(ctx context.Context, user caveat.Subject, provider string) (bool, error)
	// InCluster reports whether the user is an effective member of the cluster,
	// whose panel it may then use tokens with. The cluster of a Oneprovider has
	// the provider's id, that of Onezone the id "onezone".
	InCluster(ctx context.Context, user caveat.Subject, cluster string) (bool, error)
}

// Invitation is what an invite token offers.
type Invitation struct {
	Inviter caveat.Subject // the subject of the token
	Type    InviteType
	Target  string // id of the entity
	// Privileges are what the new member may do, sorted; nil where the type has
	// none.
	Privileges []string
	// Custom says that the token sets the privileges rather than takes those
	// that the type has by default.
	Custom bool
}

// Inviters knows who may invite to what.
type Inviters interface {
	// CheckInvitation reports whether the inviter may invite to the target now.
	// It returns inviteTokenTargetIdInvalid {id} where there is no such target,
	// and inviteTokenSubjectNotAuthorized where the inviter may not invite, or
	// with Custom not set privileges.
	CheckInvitation(ctx context.Context, i Invitation) error
}
