package rest

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
)

// rule decides whether a client that sent credentials may use a route. It reads
// its question and changes nothing; what the question is about, a loader has found
// before. Its error is one of [Rights].
type rule func(ctx context.Context, q question) (bool, error)

// question is what a rule decides: whether the client may do something about the
// tokens of their owner.
type question struct {
	client caveat.Subject // a user or Oneprovider
	owner  caveat.Subject // zero: nobody, or not known
	rights Rights         // nil: nobody may do anything to the tokens of others
}

// managesTokens is for users with the admin privilege for tokens.
func managesTokens(ctx context.Context, q question) (bool, error) {
	if q.rights == nil || q.client.Type != caveat.SubjectUser {
		return false, nil
	}
	ok, err := q.rights.ManagesTokens(ctx, q.client)
	return ok, asking(err)
}

// isOwner is for clients about their own tokens.
func isOwner(_ context.Context, q question) (bool, error) { return q.client == q.owner, nil }

// managesOwner is for those who may manage the tokens of the owner: itself, for a
// Oneprovider users who may change its cluster, and those who manage all tokens.
func managesOwner(ctx context.Context, q question) (ok bool, err error) {
	if ok, err = isOwner(ctx, q); ok || err != nil {
		return ok, err
	}
	if q.owner.Type == caveat.SubjectProvider && q.client.Type == caveat.SubjectUser && q.rights != nil {
		ok, err = q.rights.UpdatesCluster(ctx, q.client, q.owner.ID)
	}
	if ok || err != nil {
		return ok, asking(err)
	}
	return managesTokens(ctx, q)
}

// seesRevocation is for those who may know whether tokens of the owner are
// revoked: itself, a Oneprovider that serves the user, members of the
// Oneprovider's cluster, and those who manage all tokens.
func seesRevocation(ctx context.Context, q question) (ok bool, err error) {
	if ok, err = isOwner(ctx, q); ok || err != nil {
		return ok, err
	}
	switch {
	case q.rights == nil:
	case q.owner.Type == caveat.SubjectUser && q.client.Type == caveat.SubjectProvider:
		ok, err = q.rights.InProvider(ctx, q.owner, q.client.ID)
	case q.owner.Type == caveat.SubjectProvider && q.client.Type == caveat.SubjectUser:
		ok, err = q.rights.InCluster(ctx, q.client, q.owner.ID)
	}
	if ok || err != nil {
		return ok, asking(err)
	}
	return managesTokens(ctx, q)
}

func asking(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("asking for the rights of a client: %w", err)
}
