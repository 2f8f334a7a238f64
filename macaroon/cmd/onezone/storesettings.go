package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/sqlite"
)

// databaseSettings are the settings of one kind of database.
type databaseSettings struct {
	postgresSchema    string
	postgresFeed      bool
	redisPrefix       string
	redisReplicas     int
	redisEviction     bool
	sqliteSynchronous string
}

// newDatabaseSettings returns the defaults of the stores.
func newDatabaseSettings() databaseSettings {
	return databaseSettings{postgresSchema: "onezone", postgresFeed: true, redisPrefix: "onezone:", sqliteSynchronous: "full"}
}

func (d *databaseSettings) flags(f *pflag.FlagSet) {
	f.StringVar(&d.postgresSchema, "postgres-schema", d.postgresSchema, "`SCHEMA` of the tables in PostgreSQL")
	toggle(f, &d.postgresFeed, "postgres-feed", "report changes by LISTEN and NOTIFY; --postgres-feed=false is for engines without them, with slower revocations")
	f.StringVar(&d.redisPrefix, "redis-prefix", d.redisPrefix, "`PREFIX` of all keys and channels in Redis")
	f.Var(count(&d.redisReplicas, 0), "redis-wait-replicas", "replicas of Redis, `N`, that must have a write before it counts")
	toggle(f, &d.redisEviction, "redis-allow-eviction", "accept a Redis that may evict records, so that revoked tokens may be valid again")
	f.Var(oneOf(&d.sqliteSynchronous, "full", "normal"), "sqlite-synchronous", "`MODE` of SQLite: full, or normal, which is faster and may lose the last writes with the power")
}

func (d databaseSettings) redis(timeout time.Duration) redis.Options {
	return redis.Options{Prefix: d.redisPrefix, WaitReplicas: d.redisReplicas, AllowEviction: d.redisEviction, CallTimeout: timeout}
}

func (d databaseSettings) sqlite() sqlite.Options {
	if d.sqliteSynchronous == "normal" {
		return sqlite.Options{Synchronous: sqlite.Normal}
	}
	return sqlite.Options{}
}

// memorySettings are the settings of what the service keeps in memory.
type memorySettings struct {
	entries    int
	ttl        time.Duration
	recognized int // tokens
}

func (m *memorySettings) flags(f *pflag.FlagSet) {
	m.entries, m.ttl, m.recognized = 100_000, time.Minute, macaroon.DefaultRecognizedTokens
	f.Var(count(&m.entries, 1), "cache-entries", "most records, `N`, in the cache")
	f.Var(durationFlag(&m.ttl), "cache-ttl", "`DURATION` after which a record in the cache is read again, even if nothing has changed")
	f.Var(count(&m.recognized, 0), "recognized-tokens", "tokens, `N`, whose verified signature is kept in memory for their next use; 0 turns it off")
}

func (m memorySettings) check() error {
	return failUnless(m.ttl > 0, "--cache-ttl must be greater than zero, such as 1m")
}

func (m memorySettings) cache() cache.Options {
	return cache.Options{MaxEntries: m.entries, TTL: m.ttl}
}

// recognition returns the option of the authority. The bytes grow with the
// tokens.
func (m memorySettings) recognition() macaroon.Option {
	const each = macaroon.DefaultRecognizedBytes / macaroon.DefaultRecognizedTokens
	return macaroon.WithRecognition(m.recognized, max(1, m.recognized)*each)
}
