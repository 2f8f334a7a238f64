package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/onezone-go/onezone/store/seal"
)

// resealOrder makes the program reseal the store instead of serving.
type resealOrder struct {
	on        bool
	plaintext bool // also secrets in clear
}

func (o *resealOrder) flags(f *flag.FlagSet) {
	f.BoolVar(&o.on, "reseal", false, "seal all secrets in the store under the first key of -seal-key-file, and exit")
	f.BoolVar(&o.plaintext, "seal-plaintext", false, "with -reseal: also seal plaintext secrets and those that an earlier release sealed, to convert a store that was in use before")
}

func (o resealOrder) check(s *settings) error {
	switch {
	case o.plaintext && !o.on:
		return usageErrorf("-seal-plaintext needs -reseal")
	case o.on && s.user.do != "":
		return usageErrorf("a run does one thing: -reseal or -%s", s.user.do)
	case o.on && s.sealKeys == "":
		return usageErrorf("-reseal needs -seal-key-file")
	case o.on && strings.HasPrefix(s.store, "memory:"):
		return usageErrorf("secrets in memory: end with the process; give a -store that lasts")
	}
	return nil
}

// reseal seals all secrets in the store under the first key, and prints the
// number of records.
func reseal(ctx context.Context, s settings, out io.Writer) (err error) {
	s.cache = false
	opened, err := openStore(ctx, s, nil, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	sealed, ok := opened.front.(seal.Store)
	if !ok {
		return errors.New("resealing: the store has no seal in front")
	}
	done, err := sealed.Reseal(ctx, seal.ResealOptions{SealPlaintext: s.reseal.plaintext})
	if err != nil {
		return fmt.Errorf("resealing -store %s: %w", storeName(s.store), err)
	}
	_, err = fmt.Fprintf(out, "sealed %d of %d records anew; all are under the first key of %s\n", done.Resealed, done.Records, s.sealKeys)
	return err
}
