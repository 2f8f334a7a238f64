//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/redis"
)

// newShared starts an engine for replicas. Its writes wait for the disk, except
// in memory.
func newShared(name string) (shared, error) {
	switch name {
	case "memory":
		return sharedMemory{memory.New()}, nil
	case "sqlite":
		dir, err := os.MkdirTemp("", "onezone-scale-")
		return sharedFile{sqliteEngine{dir}}, err
	case "postgres":
		server, err := pgtest.New()
		return sharedPostgres{postgresEngine{server}}, err
	case "redis", "rediscluster":
		return newSharedRedis(name == "rediscluster")
	}
	return nil, fmt.Errorf("unknown engine %q; the engines with a feed are memory, sqlite, postgres, redis and rediscluster", name)
}

// sharedMemory is one store, because only one process can use it.
type sharedMemory struct{ s *memory.Store }

func (m sharedMemory) replica(context.Context) (store.Store, error) { return m.s, nil }
func (sharedMemory) connections() (int, error)                      { return 0, nil }
func (sharedMemory) busy() (time.Duration, error)                   { return 0, nil }
func (m sharedMemory) Close() error                                 { return m.s.Close() }

type sharedFile struct{ sqliteEngine }

func (f sharedFile) replica(ctx context.Context) (store.Store, error) { return f.open(ctx) }
func (sharedFile) connections() (int, error)                          { return 0, nil }
func (sharedFile) busy() (time.Duration, error)                       { return 0, nil }

type sharedPostgres struct{ postgresEngine }

func (p sharedPostgres) replica(ctx context.Context) (store.Store, error) { return p.open(ctx) }

func (p sharedPostgres) connections() (n int, err error) {
	return n, p.query(func(ctx context.Context, pool *pgxpool.Pool) error {
		return pool.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()").Scan(&n)
	})
}

// busy adds up the processes of the server that run.
func (p sharedPostgres) busy() (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(p.Dir(), "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	postmaster, _, _ := strings.Cut(string(text), "\n")
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var ticks int
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the process ended
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 12 && fields[1] == postmaster {
			user, _ := strconv.Atoi(fields[11])
			system, _ := strconv.Atoi(fields[12])
			ticks += user + system
		}
	}
	const tick = 10 * time.Millisecond // of all Linux systems
	return time.Duration(ticks) * tick, nil
}

// sharedRedis is a server, or a cluster of three masters.
type sharedRedis struct {
	dir     string
	servers []*redistest.Server
}

func newSharedRedis(clustered bool) (r sharedRedis, err error) {
	if r.dir, err = os.MkdirTemp("", "onezone-scale-"); err != nil {
		return r, err
	}
	durable := []string{"--appendonly", "yes", "--appendfsync", "always"}
	if !clustered {
		server, err := redistest.Start(r.dir, durable...)
		r.servers = []*redistest.Server{server}
		return r, err
	}
	c, err := redistest.StartCluster(r.dir, durable...)
	if err != nil {
		return r, err
	}
	r.servers = c.Servers
	return r, nil
}

func (r sharedRedis) replica(ctx context.Context) (store.Store, error) {
	url := "redis://" + r.servers[0].Addr
	for i, s := range r.servers[1:] {
		url += map[bool]string{true: "?", false: "&"}[i == 0] + "addr=" + s.Addr
	}
	s, err := redis.Open(ctx, url, redis.Options{})
	if err != nil {
		return nil, err
	}
	return s, s.Migrate(ctx)
}

func (r sharedRedis) connections() (n int, err error) {
	return n, r.info(func(key, value string) {
		if key == "connected_clients" {
			clients, _ := strconv.Atoi(value)
			n += clients - 1 // without that of INFO
		}
	})
}

func (r sharedRedis) busy() (d time.Duration, err error) {
	return d, r.info(func(key, value string) {
		if key == "used_cpu_sys" || key == "used_cpu_user" {
			seconds, _ := strconv.ParseFloat(value, 64)
			d += time.Duration(seconds * float64(time.Second))
		}
	})
}

// memory returns the bytes of memory that the servers use.
func (r sharedRedis) memory() (bytes int64, err error) {
	return bytes, r.info(func(key, value string) {
		if key == "used_memory" {
			used, _ := strconv.ParseInt(value, 10, 64)
			bytes += used
		}
	})
}

// info calls field for each field of the INFO of each server.
func (r sharedRedis) info(field func(key, value string)) error {
	for _, s := range r.servers {
		text, err := s.Do("INFO", "all")
		if err != nil {
			return err
		}
		for line := range strings.Lines(text) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			field(key, value)
		}
	}
	return nil
}

func (r sharedRedis) Close() error {
	for _, s := range r.servers {
		s.Kill()
	}
	return os.RemoveAll(r.dir)
}
