package macaroon

import (
	"hash/maphash"
	"slices"
	"sync"
)

// Bounds of the memory of [knownAddresses]. Past the first, a new user pushes out
// one at random; past the second, an address the one that was used least recently.
const (
	maxKnownUsers     = 100_000
	maxKnownAddresses = 8 // of one user
)

// knownAddresses remembers from which networks users have logged in with their
// password. An unknown network is never remembered: it is everybody's.
type knownAddresses struct {
	seed maphash.Seed

	mu     sync.Mutex
	byUser map[uint64][]uint64 // hashes, the last used first
}

func newKnownAddresses() knownAddresses {
	return knownAddresses{seed: maphash.MakeSeed(), byUser: make(map[uint64][]uint64)}
}

func (k *knownAddresses) hash(text string) uint64 { return maphash.String(k.seed, text) }

func (k *knownAddresses) has(username, network string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Contains(k.byUser[k.hash(username)], k.hash(network))
}

func (k *knownAddresses) add(username, network string) {
	if network == unknownNetwork {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	user, address := k.hash(username), k.hash(network)
	list, known := k.byUser[user]
	if !known && len(k.byUser) >= maxKnownUsers {
		for other := range k.byUser {
			delete(k.byUser, other)
			break
		}
	}
	if i := slices.Index(list, address); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	list = slices.Insert(list, 0, address)
	k.byUser[user] = list[:min(len(list), maxKnownAddresses)]
}
