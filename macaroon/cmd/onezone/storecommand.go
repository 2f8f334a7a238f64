package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/store"
)

func (p *program) storeCommand() *cobra.Command {
	c := group("store", "Manage the store", p.storeMigrateCommand(), p.storeCheckCommand(), p.storeStatsCommand(),
		p.storeBackupCommand(), p.storeRestoreCommand(), p.storeCopyCommand(), p.storeCompareCommand(),
		p.storeSealCommand(), p.storeResealCommand())
	c.Long = `Manages the store of the service. A store is sqlite:PATH, postgres://...,
postgresql://..., redis://... or rediss://....`
	return c
}

// storeTask is what a command does with a backend.
type storeTask struct {
	keepTables bool // neither create nor upgrade the store
	do         func(ctx context.Context, b backend, args []string) error
}

// backend is an open store without the wrappers, so that sealed secrets stay
// sealed.
type backend struct {
	store.Store
	settings settings
}

// manages makes the command open the backend of its settings, do the task and
// close it.
func (p *program) manages(c *cobra.Command, order storeTask) *cobra.Command {
	return p.opensStore(c, func(ctx context.Context, s *settings, args []string) error {
		s.keepTables = order.keepTables
		return s.withBackend(ctx, func(b backend) error { return order.do(ctx, b, args) })
	})
}

// opensStore makes the command read its settings, which must name a store that
// lasts, and run.
func (p *program) opensStore(c *cobra.Command, run func(ctx context.Context, s *settings, args []string) error) *cobra.Command {
	s := newSettings()
	s.storeFlags(c.Flags())
	p.jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if _, err := p.configured(c.Flags(), s); err != nil {
			return err
		}
		if err := checkLasting(s.store); err != nil {
			return err
		}
		return run(c.Context(), s, args)
	}
	return c
}

// withBackend opens the backend of the settings for a call of do.
func (s settings) withBackend(ctx context.Context, do func(backend) error) error {
	opened, _, err := openBackend(ctx, s, nil)
	if err != nil {
		return fmt.Errorf("--store %s: %w", storeName(s.store), err)
	}
	return errors.Join(do(backend{opened, s}), opened.Close())
}

func (p *program) storeMigrateCommand() *cobra.Command {
	return p.manages(&cobra.Command{
		Use: "migrate", Short: "Create or upgrade the tables of the store",
		Long: `Creates the tables, or upgrades those of an earlier release. Every command that
writes does that at its start; this one is for roles that may not, and for
upgrades before the service starts. Tables of a newer release are an error.`,
		Example: "  onezone store migrate --store sqlite:data/onezone.db",
		Args:    noArguments,
	}, storeTask{do: func(_ context.Context, b backend, _ []string) error {
		name := storeName(b.settings.store)
		return p.print(map[string]string{"store": name, "result": "migrated"}, "the tables of %s are up to date", name)
	}})
}
