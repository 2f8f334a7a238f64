package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// op is a check of one key, or a command that writes one.
type op struct {
	name    string
	key     string
	args    []string
	refusal error // of a check: what a commit fails with where it does not hold
}

// The checks that commitScript knows.
const (
	checkRevision = "REVISION"
	checkField    = "FIELD"
)

// is checks that the string has the revision, "" for no string.
func is(key, revision string, refusal error) op {
	return op{name: checkRevision, key: key, args: []string{revision}, refusal: refusal}
}

// isAbsent checks that there is no such string.
func isAbsent(key string, refusal error) op { return is(key, "", refusal) }

// hasField checks that the field of the hash has the value, "" for no field.
func hasField(key, field, value string, refusal error) op {
	return op{name: checkField, key: key, args: []string{field, value}, refusal: refusal}
}

func write(name, key string, args ...string) op { return op{name: name, key: key, args: args} }

// step is what is done at once in one shard: the writes, if all checks hold.
type step struct {
	ops []op
	// cleanup tells that nothing depends on the step: what it removes counts as
	// not there already.
	cleanup bool
}

// errStale refuses a commit because something is no longer as it was read. Who
// gets it reads again.
var errStale = errors.New("the record changed meanwhile")

// untilFresh calls try, which reads and then commits what it makes of that, until
// nothing that it read changed meanwhile.
func (s *Store) untilFresh(ctx context.Context, try func() error) error {
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

// newBackoff paces the attempts of those who change the same thing. The first
// pause is on average twice the time of a write.
func newBackoff() backend.Backoff {
	return backend.Backoff{First: 200 * time.Microsecond, Longest: 20 * time.Millisecond}
}

// commit does the steps: all at once, or one after the other in a Cluster, up to
// the first that is refused. It returns how many were done and the refusal of
// the check that did not hold. After an error of the environment the step that
// comes next may have been done as well.
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

// merge returns the operations of all steps in their order, except that checks
// come first, and then what is published: a script is not undone where the server
// refuses a command in its middle, as it does for users without rights to channels.
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

// run does the operations in one script.
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
