package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/store/seal"
)

func (p *program) storeSealCommand() *cobra.Command {
	return p.reseals(&cobra.Command{
		Use: "seal", Short: "Encrypt a store that was in use without seal keys",
		Long: `Seals all secrets in the store under the first key of --seal-key-file: those in
clear, and those that an earlier release sealed without the digest of records.
Stop the service before, and start it with --seal-key-file afterwards. Forged
secrets in the database would look genuine afterwards.`,
		Example: "  onezone store seal --store sqlite:data/onezone.db --seal-key-file seal.key",
	}, true)
}

func (p *program) storeResealCommand() *cobra.Command {
	return p.reseals(&cobra.Command{
		Use: "reseal", Short: "Encrypt all secrets under the first seal key",
		Long: `Seals all secrets under the first key of --seal-key-file, so that the other keys
can be removed. Put the new key first in the file and restart all processes of
the service before. The service may run at the same time.`,
		Example: "  onezone store reseal --store sqlite:data/onezone.db --seal-key-file seal.key",
	}, false)
}

// resealResult is the output of the commands seal and reseal.
type resealResult struct {
	Records  int64 `json:"records"`
	Resealed int64 `json:"resealed"`
}

// reseals makes the command seal all secrets under the first key.
func (p *program) reseals(c *cobra.Command, plaintext bool) *cobra.Command {
	c.Args = noArguments
	return p.opensStore(c, func(ctx context.Context, s *settings, _ []string) error {
		if err := failUnless(s.sealKeys != "", c.CommandPath()+" needs --seal-key-file"); err != nil {
			return err
		}
		done, err := p.reseal(ctx, *s, plaintext)
		if err != nil {
			return err
		}
		return p.print(resealResult{done.Records, done.Resealed},
			"sealed %d of %d records anew; all are under the first key of %s", done.Resealed, done.Records, s.sealKeys)
	})
}

func (p *program) reseal(ctx context.Context, s settings, plaintext bool) (done seal.ResealProgress, err error) {
	s.convertSeal = plaintext
	opened, err := openStore(ctx, s, nil, nil)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	sealed, ok := opened.front.(seal.Store)
	if !ok {
		return done, errors.New("resealing: the store has no seal in front")
	}
	show, end := p.progress("sealing")
	defer end()
	done, err = sealed.Reseal(ctx, seal.ResealOptions{
		SealPlaintext: plaintext,
		Progress:      func(at seal.ResealProgress) { show(at.Records, 0) },
	})
	if err != nil {
		return done, fmt.Errorf("resealing --store %s: %w", storeName(s.store), err)
	}
	return done, nil
}
