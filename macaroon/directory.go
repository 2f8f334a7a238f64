package macaroon

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// Directory resolves token holders, for applications that keep their users
// outside the store.
type Directory interface {
	// Holder returns whether the user or Oneprovider is active, blocked or
	// missing. The authority calls it in every verification, after the
	// signature check, and twice for a new token: the second time when the
	// record is stored. An implementation that caches must invalidate its
	// answer before a deletion completes; otherwise tokens issued concurrently
	// survive it. See [Authority.Forget].
	Holder(ctx context.Context, subject caveat.Subject) (store.Status, error)
}

// Sessions resolves the sessions that access tokens may be bound to.
type Sessions interface {
	// BelongsTo reports whether the session exists and belongs to the user. It
	// must return false for a session that has ended.
	BelongsTo(ctx context.Context, session string, user caveat.Subject) (bool, error)
}

// Memberships resolves which users may use which services.
type Memberships interface {
	// InProvider reports whether the user is an effective user of the
	// Oneprovider, and so may use tokens with its worker.
	InProvider(ctx context.Context, user caveat.Subject, provider string) (bool, error)
	// InCluster reports whether the user is an effective member of the cluster,
	// and so may use tokens with its panel. The cluster of a Oneprovider has
	// the id of the provider; the cluster of Onezone has the id "onezone".
	InCluster(ctx context.Context, user caveat.Subject, cluster string) (bool, error)
}

// Invitation is the content of an invite token.
type Invitation struct {
	Inviter caveat.Subject // the subject of the token
	Type    InviteType
	Target  string // id of the entity
	// Privileges are granted to the new member. They are sorted, and nil for
	// types without privileges.
	Privileges []string
	// Custom is true if the token sets privileges, rather than taking the
	// default privileges of the type.
	Custom bool
}

// Inviters decides who may invite to which target.
type Inviters interface {
	// CheckInvitation returns nil if the inviter may currently invite to the
	// target. It returns inviteTokenTargetIdInvalid {id} if the target does not
	// exist. It returns inviteTokenSubjectNotAuthorized if the inviter may not
	// invite or, when Custom is true, may not set privileges.
	CheckInvitation(ctx context.Context, i Invitation) error
}
