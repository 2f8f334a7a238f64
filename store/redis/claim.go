package redis

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// A token id and a user name are unique over all shards. What makes them so is a
// pointer in a shard of its own, which whoever writes the record takes first. On
// a single server pointer and record are written at once. In a Cluster a crash
// in between leaves a pointer that leads to no record: it counts as not there,
// and after claimPatience whoever wants the name takes it over.
//
// The one who was believed dead may still be about to write the record. So
// before a pointer is taken over, its revision is put down as a fence in the
// shard that it led to, in a script that checks that there is still no record;
// and the script that writes a record checks that there is no fence for its
// claim. One of the two comes first and refuses the other.

// claimPatience is how long a pointer may lead to no record before it is taken
// over: longer than the two scripts of one who is alive are apart, as a rule.
const claimPatience = 200 * time.Millisecond

// fenceSeconds is how long a fence stays: longer than a script can be on its way.
const fenceSeconds = "86400"

var (
	errClaimed = errors.New("the pointer is taken")
	errFenced  = errors.New("the claim was given up on")
)

// claim is the wish to make a pointer lead to a subject.
type claim struct {
	key     string
	subject caveat.Subject
	taken   error // the refusal where the pointer leads to a record
	// holder returns the key and value of the record to which a pointer to the
	// subject leads, and whether it does.
	holder func(ctx context.Context, subject caveat.Subject) (key, value string, leads bool, err error)
}

// claim takes the pointer and does the steps: that which writes the record, and
// maybe another. The error is the refusal of a check in them, or c.taken.
func (s *Store) claim(ctx context.Context, c claim, record step, more ...step) error {
	var inPlaceOf pointer
	var w wait
	for {
		value := encodePointer(c.subject)
		take := step{ops: []op{is(c.key, inPlaceOf.revision, errClaimed), write("SET", c.key, value)}}
		fenced := step{ops: append([]op{isAbsent(s.fenceKey(c.subject, revision(value)), errFenced)}, record.ops...)}
		done, err := s.commit(ctx, append([]step{take, fenced}, more...)...)
		if done == 1 && isRefusal(err, fenced.ops) {
			// The claim is of no use, so give way at once to who comes next.
			// It does no harm where that fails.
			_, _ = s.commit(ctx, step{ops: release(c.key, revision(value))})
		}
		switch err {
		case errFenced:
			inPlaceOf = pointer{}
		case errClaimed:
			if inPlaceOf, err = s.vacate(ctx, c, &w); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// isRefusal reports whether the error says that a check did not hold, and so
// that nothing was written.
func isRefusal(err error, ops []op) bool {
	for _, o := range ops {
		if err != nil && o.refusal == err {
			return true
		}
	}
	return false
}

// wait is the patience with one pointer.
type wait struct {
	revision string
	until    time.Time
	backoff  backend.Backoff
}

// vacate returns the pointer that can be taken over, zero for none, when it is
// worth trying again to take it.
func (s *Store) vacate(ctx context.Context, c claim, w *wait) (pointer, error) {
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

// fence refuses the write of a record under the claim that made the pointer,
// given the revision of the record that the pointer would lead to.
func (s *Store) fence(p pointer, recordKey, recordRevision string) []op {
	return []op{
		is(recordKey, recordRevision, errStale),
		write("SET", s.fenceKey(p.subject, p.revision), "fence", "EX", fenceSeconds),
	}
}

func (s *Store) fenceKey(subject caveat.Subject, claim string) string {
	return s.key(fenceKind, tagOf(subject.String()), hex.EncodeToString([]byte(claim)))
}

// release removes the pointer if it is still the one with the revision.
func release(key, revision string) []op {
	return []op{is(key, revision, errStale), write("DEL", key)}
}
