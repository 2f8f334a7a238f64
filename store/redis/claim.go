package redis

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// Token ids and user names are unique over all shards. A pointer in a shard of
// its own reserves each of them, and a writer takes the pointer before it
// writes the record. On a single server pointer and record are written
// atomically. In a Cluster a crash between the two leaves a pointer to no
// record. It counts as absent, and after claimPatience another writer takes it
// over.
//
// The first writer may be slow, not dead, and still write the record. So before
// a pointer is taken over, a script writes its revision as a fence into the
// shard of the record and checks that there is still no record. The script that
// writes a record checks that there is no fence for its claim. So only one of
// the two succeeds.

// claimPatience is how long a pointer may lead to no record before it is taken
// over. It is longer than the usual time between the two scripts of a writer.
const claimPatience = 200 * time.Millisecond

// fenceSeconds is the lifetime of a fence, which is longer than a script can be
// in flight.
const fenceSeconds = "86400"

var (
	errClaimed = errors.New("the pointer is taken")
	errFenced  = errors.New("another writer took over the claim")
)

// claim is a request to make a pointer lead to a subject.
type claim struct {
	key     string
	subject caveat.Subject
	taken   error // the error if the pointer already leads to a record
	clear   []op  // deletes what a former record may have left beside the pointer
	// holder returns the key and value of the record that a pointer to the
	// subject leads to, and whether there is one.
	holder func(ctx context.Context, subject caveat.Subject) (key, value string, leads bool, err error)
}

// claim takes the pointer and runs the steps: the one that writes the record,
// and optionally others. It returns the error of a failed check, or c.taken.
func (s *Store) claim(ctx context.Context, c claim, record step, more ...step) error {
	var replaced pointer
	var w wait
	for {
		value := encodePointer(c.subject)
		take := step{ops: append([]op{hasRevision(c.key, replaced.revision, errClaimed), write("SET", c.key, value)}, c.clear...)}
		fenced := step{ops: append([]op{isAbsent(s.fenceKey(c.subject, revision(value)), errFenced)}, record.ops...)}
		done, err := s.commit(ctx, append([]step{take, fenced}, more...)...)
		if done == 1 && isRefusal(err, fenced.ops) {
			// The claim is not needed: release it for the next writer. A
			// failure is harmless.
			_, _ = s.commit(ctx, step{ops: release(c.key, revision(value))})
		}
		switch err {
		case errFenced:
			replaced = pointer{}
		case errClaimed:
			if replaced, err = s.takeOver(ctx, c, &w); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// isRefusal reports whether the error is that of a failed check, so that
// nothing was written.
func isRefusal(err error, ops []op) bool {
	for _, o := range ops {
		if err != nil && o.refusal == err {
			return true
		}
	}
	return false
}

// wait is the state of waiting for one pointer.
type wait struct {
	revision string
	until    time.Time
	backoff  backend.Backoff
}

// takeOver returns the pointer to replace, zero for none. It returns when
// another attempt to take the pointer may succeed.
func (s *Store) takeOver(ctx context.Context, c claim, w *wait) (pointer, error) {
	p, err := s.pointer(ctx, c.key)
	if err != nil || p.revision == "" {
		return pointer{}, err
	}
	key, value, leads, err := c.holder(ctx, p.subject)
	if err != nil {
		return pointer{}, err
	}
	if leads {
		return pointer{}, c.taken
	}
	if p.revision != w.revision {
		*w = wait{p.revision, time.Now().Add(claimPatience), newBackoff()}
	}
	if time.Now().Before(w.until) {
		return pointer{}, w.backoff.Pause(ctx)
	}
	_, err = s.commit(ctx, step{ops: s.fence(p, key, revision(value))})
	if err == errStale {
		return pointer{}, nil
	}
	return p, err
}

// fence prevents the claim that created the pointer from writing its record.
// recordRevision is the current revision of that record.
func (s *Store) fence(p pointer, recordKey, recordRevision string) []op {
	return []op{
		hasRevision(recordKey, recordRevision, errStale),
		write("SET", s.fenceKey(p.subject, p.revision), "fence", "EX", fenceSeconds),
	}
}

func (s *Store) fenceKey(subject caveat.Subject, claim string) string {
	return s.key(fenceKind, tagOf(subject.String()), hex.EncodeToString([]byte(claim)))
}

// release deletes the pointer if it still has the revision.
func release(key, revision string) []op {
	return []op{hasRevision(key, revision, errStale), write("DEL", key)}
}
