package memory

import (
	"hash/maphash"
	"sync/atomic"
)

// cacheLine is the distance in bytes that prevents false sharing between cores.
// It is two cache lines of most processors, because they fetch lines in pairs.
const cacheLine = 128

// minBuckets is the size of an empty table. Sizes are powers of two.
const minBuckets = 64

// table is a hash table with lock-free reads and one writer at a time.
//
// A bucket is a chain of immutable nodes. A writer creates the nodes that
// differ and swaps the head of the chain, so that a reader sees the chain
// either before or after the change. A full table is replaced by one of twice
// the size; a reader of the old one sees its state when the reader began.
type table[K comparable, V any] struct {
	seed    maphash.Seed
	hash    func(maphash.Seed, K) uint64
	buckets atomic.Pointer[[]atomic.Pointer[node[K, V]]]

	_     [cacheLine]byte
	count int // for writers only
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

// get returns the value of the key, or nil.
func (t *table[K, V]) get(key K) *V {
	for n := t.bucket(*t.buckets.Load(), key).Load(); n != nil; n = n.next {
		if n.key == key {
			return n.value
		}
	}
	return nil
}

// put sets the value of the key. Concurrent readers see the old or the new
// value.
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

// remove deletes the key.
func (t *table[K, V]) remove(key K) {
	head := t.bucket(*t.buckets.Load(), key)
	if rest, found := head.Load().without(key); found {
		head.Store(rest)
		t.count--
	}
}

// grow doubles the number of buckets and returns the new ones.
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

// without returns the chain from n without the key, and whether the key was
// found. Chains are short: a table has at least as many buckets as keys, and
// its seed is secret.
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
