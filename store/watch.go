package store

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
)

// Watcher reports changes of any process. Caches use this feed to drop outdated
// answers.
type Watcher interface {
	// Watch calls observe for every change, one call at a time, until ctx is
	// done, and returns ctx's error. It reconnects when the connection is lost.
	// FeedUp is reported each time the feed connects, and FeedDown when it
	// disconnects. Changes made while it is disconnected are never reported, so
	// an observer must forget its state at both.
	//
	// A store without a feed returns [errors.ErrUnsupported], wrapped, at once.
	// badData {key "observe"}: observe is nil.
	//
	// [errors.ErrUnsupported]: https://pkg.go.dev/errors#ErrUnsupported
	Watch(ctx context.Context, observe func(Change)) error
}

// ChangeKind is the kind of a [Change]. The zero kind is invalid.
type ChangeKind uint8

// The kinds of changes.
const (
	FeedUp           ChangeKind = iota + 1 // the feed is connected; earlier changes may have been missed
	FeedDown                               // the feed is disconnected; changes are missed until FeedUp
	TokenChanged                           // the named token TokenID was created, changed or deleted
	TemporaryChanged                       // the temporary secret of Subject was created, replaced or deleted
	IdentityChanged                        // the identity of Subject was created, changed or deleted
)

// Change is one entry of the feed.
type Change struct {
	Kind    ChangeKind
	TokenID string         // of TokenChanged
	Subject caveat.Subject // of TemporaryChanged and IdentityChanged
}
