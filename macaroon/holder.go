package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/store"
)

// checkHolder checks that the subject may hold a token of the type and use it
// with the services. status is the subject's status in the store; a configured
// directory takes precedence over it.
func (a *Authority) checkHolder(ctx context.Context, subject caveat.Subject, typ Type, status store.Status, services ...caveat.Service) error {
	if err := a.checkActive(ctx, subject, status); err != nil || typ.Class() != Access {
		return err
	}
	if err := a.checkSession(ctx, subject, typ.Session()); err != nil {
		return err
	}
	for _, service := range services {
		if err := a.checkService(ctx, subject, service); err != nil {
			return err
		}
	}
	return nil
}

// checkActive checks that the subject exists and is not blocked. status is the
// subject's status in the store; a configured directory takes precedence.
func (a *Authority) checkActive(ctx context.Context, subject caveat.Subject, status store.Status) error {
	if a.directory != nil {
		var err error
		if status, err = a.directory.Holder(ctx, subject); err != nil {
			return operational.Error("looking up the subject of a token", err)
		}
	}
	return holderError(subject, status)
}

// holderError returns an error unless a subject with the status may hold
// tokens.
func holderError(subject caveat.Subject, status store.Status) error {
	switch {
	case status == store.HolderActive:
		return nil
	case status == store.HolderBlocked && subject.Type == caveat.SubjectUser:
		return errors.UserBlocked()
	}
	return errors.TokenSubjectInvalid()
}

// checkSession checks that the session of a token belongs to its subject.
func (a *Authority) checkSession(ctx context.Context, subject caveat.Subject, session string) error {
	if session == "" {
		return nil
	}
	if a.sessions == nil || subject.Type != caveat.SubjectUser {
		return errors.TokenSessionInvalid()
	}
	ok, err := a.sessions.BelongsTo(ctx, session, subject)
	if err != nil {
		return operational.Error("looking up the session of a token", err)
	}
	if !ok {
		return errors.TokenSessionInvalid()
	}
	return nil
}

// checkService checks that the subject may use access tokens with the service.
// Every subject may use Onezone's worker. Only their own users may use the
// other services. A Oneprovider may use tokens only with Onezone's worker.
func (a *Authority) checkService(ctx context.Context, subject caveat.Subject, service caveat.Service) error {
	ok, err := a.mayUse(ctx, subject, service)
	if err != nil {
		return operational.Error("looking up the users of a service", err)
	}
	if !ok {
		return errors.TokenServiceForbidden(service)
	}
	return nil
}

func (a *Authority) mayUse(ctx context.Context, subject caveat.Subject, service caveat.Service) (bool, error) {
	const anyID = "*"
	switch {
	case service == onezone, service == caveat.Service{Type: caveat.OzWorker, ID: anyID}:
		return true, nil
	case subject.Type != caveat.SubjectUser:
		return false, nil
	case service.ID == anyID:
		return true, nil
	case a.memberships == nil:
		return false, nil
	}
	switch {
	case service.Type == caveat.OpPanel, service.Type == caveat.OzPanel && service.ID == caveat.OnezoneID:
		return a.memberships.InCluster(ctx, subject, service.ID)
	case service.Type == caveat.OpWorker:
		return a.memberships.InProvider(ctx, subject, service.ID)
	}
	return false, nil
}

// checkGrant checks that a token with this type and these caveats may be issued
// to the subject. It makes the checks of a verification with every service that
// the caveats name.
func (a *Authority) checkGrant(ctx context.Context, subject caveat.Subject, typ Type, cs []caveat.Caveat) error {
	status, err := a.status(ctx, subject)
	if err != nil {
		return err
	}
	services, err := servicesToUse(cs)
	if err != nil {
		return err
	}
	return a.checkHolder(ctx, subject, typ, status, services...)
}

// maxServices bounds the lookups in the application for one call of Confine,
// which unauthenticated clients can cause.
const maxServices = 1024

// servicesToUse returns the services that the subject must be allowed to use
// for these new caveats: those that the caveats name, or Onezone's worker if
// they name none. The error is limitReached.
func servicesToUse(cs []caveat.Caveat) ([]caveat.Service, error) {
	services, limited := servicesOf(cs)
	switch {
	case !limited:
		return []caveat.Service{onezone}, nil
	case len(services) > maxServices:
		return nil, errors.LimitReached(maxServices, "services in new caveats")
	}
	return services, nil
}

// servicesOf returns the services that the caveats name, without duplicates, in
// order. limited is false if they name none.
func servicesOf(cs []caveat.Caveat) (services []caveat.Service, limited bool) {
	var seen map[caveat.Service]bool
	for _, c := range cs {
		named, ok := c.(caveat.Services)
		if ok && seen == nil {
			seen = make(map[caveat.Service]bool)
		}
		for _, s := range named {
			if !seen[s] {
				seen[s] = true
				services = append(services, s)
			}
		}
	}
	return services, len(services) > 0
}

// status returns the subject's status in the store.
func (a *Authority) status(ctx context.Context, subject caveat.Subject) (store.Status, error) {
	if a.directory != nil || !isHolder(subject) {
		return store.HolderMissing, nil
	}
	i, err := a.store.GetIdentity(ctx, subject)
	switch {
	case errors.Is(err, errors.IDNotFound):
		return store.HolderMissing, nil
	case err != nil:
		return 0, fmt.Errorf("looking up the subject of a token: %w", err)
	}
	return i.Status(), nil
}
