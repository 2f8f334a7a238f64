package store

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
)

// Watcher tells what changes, whoever changed it: the revocation feed that a
// cache lives on.
type Watcher interface {
	// Watch calls observe for every change from the moment the feed stands,
	// one call at a time, until ctx is done, and returns ctx's error. It
	// reconnects by itself: FeedUp is reported each time the feed starts to
	// stand, FeedDown when it is lost. Changes made while it is down are never
	// reported, so an observer forgets what it knows at either.
	//
	// A store without a feed returns [errors.ErrUnsupported], wrapped, at once.
	// badData {key "observe"}: it is nil.
	//
	// [errors.ErrUnsupported]: https://pkg.go.dev/errors#ErrUnsupported
	Watch(ctx context.Context, observe func(Change)) error
}

// ChangeKind tells what a [Change] is about. The zero kind is invalid.
type ChangeKind uint8

// The kinds of changes.
const (
	FeedUp           ChangeKind = iota + 1 // the feed stands; changes before it may have been missed
	FeedDown                               // the feed is lost; changes are missed until FeedUp
	TokenChanged                           // the named token TokenID was created, changed or deleted
	TemporaryChanged                       // the temporary secret of Subject was made, replaced or deleted
	IdentityChanged                        // the identity of Subject was created, changed or deleted
)

// Change is one entry of the feed.
type Change struct {
	Kind    ChangeKind
	TokenID string         // of TokenChanged
	Subject caveat.Subject // of TemporaryChanged and IdentityChanged
}
