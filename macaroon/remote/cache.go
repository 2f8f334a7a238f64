package remote

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	// A bounded concurrent map with lock-free reads that keeps frequently used
	// keys, not just recent ones; maintained, and without dependencies.
	"github.com/maypok86/otter/v2"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// key identifies a question in the cache. It is a digest under a random key of
// the tokens and of those parts of the request on which the answer can depend.
// No text of a token is kept in the cache.
type key [sha256.Size]byte

// answer is what Onezone said. It is immutable, except for the mark.
type answer struct {
	subject caveat.Subject
	refusal *errors.Error // nil: Onezone vouched for the token

	additions []caveat.Addition // of the owner of the token
	needs     needs             // parts of a request on which the answer depends because of them

	number uint64    // of the question, counted from the start of the client
	asked  time.Time // when the question was sent
	life   time.Duration
	limit  time.Duration // until the token expires by the clock of Onezone; at least life

	refreshing atomic.Bool // a question that will replace this answer has been asked
}

// age returns how old the answer is. It is negative if the clock was set back.
// The monotonic clock stops while a machine sleeps, and the other can be set
// back, so the greater difference counts.
func (a *answer) age(now time.Time) time.Duration {
	age := now.Sub(a.asked)
	if age < 0 {
		return age
	}
	return max(age, now.Round(0).Sub(a.asked.Round(0)))
}

// isValid reports whether the answer may be used.
func (a *answer) isValid(now time.Time) bool {
	age := a.age(now)
	return age >= 0 && age < a.life
}

// isStale reports whether the answer may be used while Onezone is unreachable,
// for that much longer than its life.
func (a *answer) isStale(now time.Time, longer time.Duration) bool {
	age := a.age(now)
	return a.refusal == nil && age >= 0 && age < min(a.life+longer, a.limit)
}

// nearsEnd reports whether a good answer is in the last quarter of its life,
// and the token will live longer.
func (a *answer) nearsEnd(now time.Time) bool {
	return a.refusal == nil && a.life < a.limit && a.age(now) >= a.life-a.life/4
}

// partyMaxAge is the maximum age of an answer about a request with a consumer
// token.
const partyMaxAge = 10 * time.Second

// forever is the limit of tokens that do not expire.
const forever = time.Duration(1<<63 - 1)

// expire sets the life of the answer to a question.
func (c *Client) expire(a *answer, q *question, ttl *int64) {
	a.life, a.limit = c.maxAge, forever
	if a.refusal != nil {
		a.life = c.negativeMaxAge
	}
	// The seconds are whole: up to one of them has passed already.
	if ttl != nil && *ttl <= int64(forever/time.Second) {
		a.limit = time.Duration(*ttl-1) * time.Second
	}
	if q.req.ConsumerToken != "" {
		a.life = min(a.life, partyMaxAge)
	}
	a.life = min(a.life, a.limit)
}

// maxCachedAnswer is the largest body of an answer that is cached, in bytes. A
// client can make Onezone quote a long caveat in its refusals.
const maxCachedAnswer = 2 << 10

// cache holds answers.
type cache struct {
	answers *otter.Cache[key, *answer]
	secret  *[sha256.Size]byte // a pointer, so that fmt does not print it
}

func newCache(maxEntries int) (*cache, error) {
	answers, err := otter.New(&otter.Options[key, *answer]{MaximumSize: maxEntries})
	if err != nil {
		return nil, fmt.Errorf("set up the cache of answers: %w", err)
	}
	c := &cache{answers, new([sha256.Size]byte)}
	_, _ = rand.Read(c.secret[:]) // never fails
	return c, nil
}

// find returns the answer, which may be too old; nil if there is none.
func (c *cache) find(k key) *answer {
	a, _ := c.answers.GetIfPresent(k)
	return a
}

// put replaces the answer in the cache, unless that was asked for later.
func (c *cache) put(k key, a *answer) {
	c.answers.Compute(k, func(old *answer, found bool) (*answer, otter.ComputeOp) {
		switch {
		case found && old.number > a.number:
			return old, otter.CancelOp
		case a.life <= 0:
			return nil, otter.InvalidateOp
		}
		return a, otter.WriteOp
	})
}

// keyOf returns the key of the question.
func (c *cache) keyOf(q *question) key {
	var room [1024]byte // enough for most tokens; it does not leave the stack
	b := append(room[:0], c.secret[:]...)
	b = append(b, byte(q.class), byte(q.needs))
	for _, text := range [...]string{q.text, string(q.req.ServiceToken), string(q.req.ConsumerToken)} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	// Each part has a fixed length, so that no two questions have the same
	// bytes.
	if q.needs&needsAddress != 0 {
		var addr [4]byte
		if q.req.IP.Is4() {
			addr = q.req.IP.As4()
		}
		b = append(b, boolByte(q.req.IP.Is4()))
		b = append(b, addr[:]...)
	}
	if q.needs&needsInterface != 0 {
		b = append(b, byte(q.req.Interface))
	}
	if q.needs&needsDataAccess != 0 {
		b = append(b, boolByte(q.req.DataAccess))
	}
	return sha256.Sum256(b)
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
