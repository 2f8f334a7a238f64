package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/caveat"
	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// administration is the authority and the store of a command.
type administration struct {
	*macaroon.Authority
	store store.Store
}

// task is what a command of administration does.
type task struct {
	creates bool         // the first records of a store, so the store need not exist
	issues  bool         // tokens, with the settings about them
	check   func() error // of the command's own flags; may be nil
	do      func(ctx context.Context, a administration, args []string) error
}

// administers makes the command open the store of its settings, do the task and
// close the store. Events are logged with the account of the operator.
func (p *program) administers(c *cobra.Command, order task) *cobra.Command {
	s := newSettings()
	s.logLevel = slog.LevelWarn // with --log-level info, also the events
	s.storeFlags(c.Flags())
	if order.issues {
		s.issueFlags(c.Flags())
	}
	p.jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if _, err := p.configured(c.Flags(), s); err != nil {
			return err
		}
		if order.check != nil {
			if err := order.check(); err != nil {
				return err
			}
		}
		if err := checkLasting(s.store); err != nil {
			return err
		}
		s.mustExist = !order.creates
		opened, err := openStore(c.Context(), *s, nil, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, opened.Close()) }()
		log := newLogger(p.err, s.logFormat, s.logLevel).With("operator", operator())
		audit, err := openAudit(s.audit, log)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, audit.Close()) }()
		authority, err := newAuthority(*s, opened.front, func(ctx context.Context, e macaroon.Event) {
			logEvent(ctx, log, e)
			audit.write(e, operator())
		})
		if err != nil {
			return err
		}
		return order.do(asCommand(c.Context()), administration{authority, opened.front}, args)
	}
	return c
}

// checkLasting returns an error for a store in memory.
func checkLasting(store string) error {
	return failUnless(!strings.HasPrefix(store, "memory:"), "records in memory: end with the process; give a --store that lasts")
}

// find returns the user with the name, or with the id if no user has the name.
func find(ctx context.Context, users store.Identities, name string) (caveat.Subject, error) {
	i, err := users.GetIdentityByUsername(ctx, name)
	if errors.Is(err, onezoneerrors.IDNotFound) {
		i, err = users.GetIdentity(ctx, caveat.User(name))
	}
	if errors.Is(err, onezoneerrors.IDNotFound) {
		return caveat.Subject{}, restated(err, "there is no user %q; onezone user list lists all", name)
	}
	if err != nil {
		return caveat.Subject{}, fmt.Errorf("looking up user %q: %w", name, err)
	}
	return i.Subject, nil
}

// noToken returns an error that names the token if there is none with the id.
func noToken(id string, err error) error {
	if isNotFound(err) {
		return restated(err, "there is no named token with the id %q; onezone token list lists all", id)
	}
	return err
}

func isNotFound(err error) bool { return errors.Is(err, onezoneerrors.IDNotFound) }
