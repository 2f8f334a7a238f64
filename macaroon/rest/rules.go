package rest

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
)

// rule decides whether a client with credentials may use a route. It decides on
// its question alone, which a loader has prepared. Its error is one of
// [Rights].
type rule func(ctx context.Context, q question) (bool, error)

// question is the input of a rule: may the client act on the tokens of the
// owner?
type question struct {
	client caveat.Subject // a user or Oneprovider
	owner  caveat.Subject // zero: no owner, or unknown
	rights Rights         // nil: clients have no rights on the tokens of others
}

// managesTokens allows users with the admin privilege for tokens.
func managesTokens(ctx context.Context, q question) (bool, error) {
	if q.rights == nil || q.client.Type != caveat.SubjectUser {
		return false, nil
	}
	ok, err := q.rights.ManagesTokens(ctx, q.client)
	return ok, rightsError(err)
}

// isClient allows all clients. It is for routes whose action decides about the
// token in the body.
func isClient(context.Context, question) (bool, error) { return true, nil }

// isOwner allows clients on their own tokens.
func isOwner(_ context.Context, q question) (bool, error) { return q.client == q.owner, nil }

// managesOwner allows the owner, users who may update the cluster of an owner
// that is a Oneprovider, and users who manage all tokens.
func managesOwner(ctx context.Context, q question) (ok bool, err error) {
	if ok, err = isOwner(ctx, q); ok || err != nil {
		return ok, err
	}
	if q.owner.Type == caveat.SubjectProvider && q.client.Type == caveat.SubjectUser && q.rights != nil {
		ok, err = q.rights.UpdatesCluster(ctx, q.client, q.owner.ID)
	}
	if ok || err != nil {
		return ok, rightsError(err)
	}
	return managesTokens(ctx, q)
}

// seesRevocation allows clients that may learn whether tokens of the owner are
// revoked. These are the owner, Oneproviders that serve an owner who is a user,
// members of the cluster of an owner that is a Oneprovider, and users who
// manage all tokens.
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
		return ok, rightsError(err)
	}
	return managesTokens(ctx, q)
}

func rightsError(err error) error {
	if err != nil {
		err = fmt.Errorf("checking the rights of a client: %w", err)
	}
	return err
}
