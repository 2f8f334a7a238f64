package memory

import (
	"hash/maphash"
	"sync/atomic"
)

// cacheLine is the distance in bytes at which what one core writes does not
// slow down another that reads; two lines of most processors, because they
// fetch lines in pairs.
const cacheLine = 128

// minBuckets is the size of an empty table. Sizes are powers of two.
const minBuckets = 64

// table is a hash table that is read without a lock, by any number of
// goroutines, while one at a time writes to it.
//
// A bucket is a chain of nodes that never change once they are in it. A writer
// makes the nodes that differ and swaps the head of the chain, so that a reader
// walks the chain as it was before or as it is after. A full table is replaced
// as a whole by one twice as large; a reader that still has the old one sees
// what was there when it began.
type table[K comparable, V any] struct {
	seed    maphash.Seed
	hash    func(maphash.Seed, K) uint64
	buckets atomic.Pointer[[]atomic.Pointer[node[K, V]]]

	_     [cacheLine]byte
	count int // for writers alone
	_     [cacheLine]byte
}

type node[K comparable, V any] struct {
	key   K
	value *V
	next  *node[K, V]
}

func newTable[K comparable, V any](hash func(maphash.Seed, K) uint64) *table[K, V] {
	t := &table[K, V]{seed: maphash.MakeSeed(), hash: hash}
	buckets := make([]atomic.Pointer[node[K, V]], minBuckets)
	t.buckets.Store(&buckets)
	return t
}

// get returns the value of the key, nil if there is none.
func (t *table[K, V]) get(key K) *V {
	for n := t.bucket(*t.buckets.Load(), key).Load(); n != nil; n = n.next {
		if n.key == key {
			return n.value
		}
	}
	return nil
}

// put sets the value of the key. A reader sees the old value or the new one,
// never none in between.
func (t *table[K, V]) put(key K, value *V) {
	buckets := *t.buckets.Load()
	if t.count >= len(buckets) {
		buckets = t.grow(buckets)
	}
	head := t.bucket(buckets, key)
	rest, found := head.Load().without(key)
	if !found {
		t.count++
	}
	head.Store(&node[K, V]{key, value, rest})
}

// remove forgets the key.
func (t *table[K, V]) remove(key K) {
	head := t.bucket(*t.buckets.Load(), key)
	if rest, found := head.Load().without(key); found {
		head.Store(rest)
		t.count--
	}
}

// grow replaces the buckets by twice as many and returns them.
func (t *table[K, V]) grow(old []atomic.Pointer[node[K, V]]) []atomic.Pointer[node[K, V]] {
	buckets := make([]atomic.Pointer[node[K, V]], 2*len(old))
	for i := range old {
		for n := old[i].Load(); n != nil; n = n.next {
			head := t.bucket(buckets, n.key)
			head.Store(&node[K, V]{n.key, n.value, head.Load()})
		}
	}
	t.buckets.Store(&buckets)
	return buckets
}

func (t *table[K, V]) bucket(buckets []atomic.Pointer[node[K, V]], key K) *atomic.Pointer[node[K, V]] {
	return &buckets[t.hash(t.seed, key)&uint64(len(buckets)-1)]
}

// without returns the chain that is left when the key is taken out of the chain
// from n on, and whether it was there. Chains are short: a table has at least as
// many buckets as keys, and nobody outside knows the seed.
func (n *node[K, V]) without(key K) (rest *node[K, V], found bool) {
	switch {
	case n == nil:
		return nil, false
	case n.key == key:
		return n.next, true
	}
	if rest, found = n.next.without(key); !found {
		return n, false
	}
	return &node[K, V]{n.key, n.value, rest}, true
}
