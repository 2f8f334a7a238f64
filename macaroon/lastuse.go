package macaroon

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// LastUse configures how an [Authority] records when, where and how often named
// tokens are used; see [WithLastUse]. Zero fields mean the defaults.
type LastUse struct {
	// Address is how much of a client's address is kept. Default:
	// AddressNetwork.
	Address AddressKept
	// Interval is how long uses are gathered before they are written, in whole
	// seconds. Default: one minute.
	Interval time.Duration
	// MaxTokens limits how many tokens have uses that are gathered or wait to
	// be written, and with it the memory: about 300 bytes for each. Uses of
	// further tokens are dropped and counted. Default: 65,536.
	MaxTokens int
	// OnError is called with the error of each failed write. Default: errors
	// are only counted.
	OnError func(error)
}

// AddressKept is how much of the address of a client is kept with a use.
type AddressKept uint8

// The values of AddressKept. Zero means the default, AddressNetwork.
const (
	AddressNetwork AddressKept = iota + 1 // its network: 192.0.2.0/24 or 2001:db8::/48
	AddressWhole                          // the address itself
	AddressNone                           // nothing
)

// Defaults of [LastUse].
const (
	defaultUseInterval  = time.Minute
	defaultMaxUseTokens = 65_536
)

// WithLastUse makes the authority record the uses of named tokens in the store.
// A use is a successful verification, whatever its purpose. The time of a use is
// kept to the minute, with the address, service and interface of one of the
// verifications in that minute. Counts are exact up to about 64 uses of a token
// in a minute; of further ones a sample is counted, so the count is an estimate.
//
// Verifications only count in memory, without waiting. One goroutine writes the
// uses to the store: each [LastUse].Interval it gathers them, and then writes up
// to 150 tokens a second. A crash loses the uses that are not written yet: those
// of the last interval, or of a longer time if more than 150 tokens a second are
// in use. A failed write is repeated; if the store had done it, its counts are
// added twice.
//
// The caller must call [Authority.Close]. Default: uses are not recorded.
func WithLastUse(l LastUse) Option { return func(a *Authority) { a.lastUse = &l } }

// withDefaults returns the configuration with zero fields replaced. Errors:
// badValueTooLow, badData {key "lastUse"}.
func (l LastUse) withDefaults() (LastUse, error) {
	if l.Address == 0 {
		l.Address = AddressNetwork
	}
	if l.Interval == 0 {
		l.Interval = defaultUseInterval
	}
	if l.MaxTokens == 0 {
		l.MaxTokens = defaultMaxUseTokens
	}
	switch {
	case l.Address > AddressNone:
		return l, errors.BadDataHint("lastUse", "the address kept of a use must be AddressNetwork, AddressWhole or AddressNone")
	case l.Interval < time.Second:
		return l, errors.BadValueTooLow("lastUseInterval", 1)
	case l.MaxTokens < 1:
		return l, errors.BadValueTooLow("lastUseMaxTokens", 1)
	}
	return l, nil
}

// startUses returns a recorder with a running writer, or nil if l is nil.
func startUses(s store.Uses, l *LastUse) (*useRecorder, error) {
	if l == nil {
		return nil, nil
	}
	valid, err := l.withDefaults()
	if err != nil {
		return nil, err
	}
	r := newUseRecorder(s, valid)
	r.start()
	return r, nil
}

// Close writes the uses that are not written yet; see [WithLastUse]. Those of
// later verifications are dropped. The authority can still be used. Close does
// nothing without WithLastUse, and if it is called again. It does not close the
// store.
//
// The error is operational; uses that are not written by then are lost.
func (a *Authority) Close(ctx context.Context) error {
	if a.uses == nil {
		return nil
	}
	if err := a.uses.close(ctx); err != nil {
		return fmt.Errorf("writing the last uses of tokens: %w", err)
	}
	return nil
}

// RecordsUses reports whether the authority has [WithLastUse].
func (a *Authority) RecordsUses() bool { return a.uses != nil }

// LastUses returns the last uses of named tokens, in the order of the ids, also
// if another authority over the store recorded them. Uses that are not written
// yet are missing. The zero Use stands for a token that was not used since uses
// are recorded, or that does not exist.
func (a *Authority) LastUses(ctx context.Context, ids ...string) ([]store.Use, error) {
	uses, err := a.store.LastUses(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("looking up the last uses of tokens: %w", err)
	}
	return uses, nil
}

// UseStats are counters of an authority with [WithLastUse].
type UseStats struct {
	Recorded uint64 // uses that were recorded
	Written  uint64 // of them, those that were written to the store
	Dropped  uint64 // uses that were not recorded or written: beyond MaxTokens, after Close, or refused by the store
	Rows     uint64 // rows that were written: one for each token and interval
	Failures uint64 // writes that failed
}

// UseStats returns the current counters, which are zero without [WithLastUse].
func (a *Authority) UseStats() UseStats {
	if a.uses == nil {
		return UseStats{}
	}
	return a.uses.stats()
}
