package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// op is a check of one key, or a command that writes one key.
type op struct {
	name    string
	key     string
	args    []string
	refusal error // of a check: the error of the commit if it fails
}

// The checks of commitScript.
const (
	checkRevision = "REVISION"
	checkField    = "FIELD"
)

// hasRevision checks that the string has the revision, "" for no string.
func hasRevision(key, revision string, refusal error) op {
	return op{name: checkRevision, key: key, args: []string{revision}, refusal: refusal}
}

// isAbsent checks that the string does not exist.
func isAbsent(key string, refusal error) op { return hasRevision(key, "", refusal) }

// hasField checks that the field of the hash has the value, "" for no field.
func hasField(key, field, value string, refusal error) op {
	return op{name: checkField, key: key, args: []string{field, value}, refusal: refusal}
}

func write(name, key string, args ...string) op { return op{name: name, key: key, args: args} }

// step is an atomic change in one shard: its writes are done if all its checks
// hold.
type step struct {
	ops []op
	// cleanup marks a step that removes only data that already counts as
	// absent, so that its failure does not matter.
	cleanup bool
}

// errStale is the error of a check that found a changed record. The caller
// reads again.
var errStale = errors.New("the record changed concurrently")

// retryStale calls try, which reads and then commits, until nothing that it
// read changed before the commit.
func (s *Store) retryStale(ctx context.Context, try func() error) error {
	for b := newBackoff(); ; {
		err := try()
		if !errors.Is(err, errStale) {
			return err
		}
		if err := b.Pause(ctx); err != nil {
			return err
		}
		if err := (driver{s}).Ready(); err != nil {
			return err
		}
	}
}

// newBackoff returns the pauses between attempts to change the same record. The
// first pause is on average twice the time of a write.
func newBackoff() backend.Backoff {
	return backend.Backoff{First: 200 * time.Microsecond, Longest: 20 * time.Millisecond}
}

// commit runs the steps: atomically, or one after the other in a Cluster, until
// a check fails. It returns the number of completed steps and the error of the
// failed check. After an operational error the next step may have been done as
// well.
func (s *Store) commit(ctx context.Context, steps ...step) (done int, err error) {
	if !s.isCluster() {
		if err := s.run(ctx, merge(steps)); err != nil {
			return 0, err
		}
		return len(steps), nil
	}
	for i, st := range steps {
		if err := s.run(ctx, merge([]step{st})); err != nil && !st.cleanup {
			return i, err
		}
	}
	return len(steps), nil
}

// merge returns the operations of all steps in order, but with checks first and
// publications second. A script is not rolled back when the server rejects a
// command in the middle, as it does for users without permission for channels.
func merge(steps []step) (ops []op) {
	for rank := range 3 {
		for _, st := range steps {
			for _, o := range st.ops {
				if o.rank() == rank {
					ops = append(ops, o)
				}
			}
		}
	}
	return ops
}

func (o op) rank() int {
	switch {
	case o.refusal != nil:
		return 0
	case o.name == publication:
		return 1
	}
	return 2
}

// run executes the operations in one script.
func (s *Store) run(ctx context.Context, ops []op) error {
	if len(ops) == 0 {
		return nil
	}
	keys, args := make([]string, len(ops)), make([]string, 0, 4*len(ops))
	for i, o := range ops {
		keys[i] = o.key
		args = append(append(args, o.name, strconv.Itoa(len(o.args))), o.args...)
	}
	failed, err := s.execute(ctx, commitScript, keys, args)
	if err != nil {
		return err
	}
	if failed > 0 {
		return ops[failed-1].refusal
	}
	return nil
}
