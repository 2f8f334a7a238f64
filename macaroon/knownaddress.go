package macaroon

import (
	"hash/maphash"
	"slices"
	"sync"
)

// Limits of [knownAddresses]. Beyond the first, a new user evicts a random
// user. Beyond the second, a new address evicts the least recently used one.
const (
	maxKnownUsers     = 100_000
	maxKnownAddresses = 8 // of one user
)

// knownAddresses records the networks from which users have logged in with
// their password. It never records the unknown network, because all clients
// without a known address share it.
type knownAddresses struct {
	seed maphash.Seed

	mu     sync.Mutex
	byUser map[uint64][]uint64 // hashes, most recently used first
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
