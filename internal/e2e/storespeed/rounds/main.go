// Rounds times operations of one store, as standard input asks. Program
// storespeed compiles it with the stores of two commits, so it uses only what
// both have.
//
//	rounds ENGINE PLACE
//
// PLACE is a file of SQLite, or the URL of a server. Each line of the input is
// an operation; each line of the output the lower quartile of its time in
// nanoseconds, because other load on the machine only adds to a time.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/sqlite"
)

const (
	tokens  = 1000
	perUser = 10
	round   = 15 * time.Millisecond
	inRow   = 16 // operations that are timed together, because clocks take time
	callers = 64
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, engine, place string) error {
	s, err := open(ctx, engine, place)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	f, err := fill(ctx, s)
	if err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		took, err := f.round(ctx, in.Text())
		if err != nil {
			return fmt.Errorf("%s: %w", in.Text(), err)
		}
		fmt.Println(took.Nanoseconds())
	}
	return nil
}

func open(ctx context.Context, engine, place string) (s store.Store, err error) {
	name := fmt.Sprintf("round_%d", os.Getpid())
	switch engine {
	case "memory":
		return memory.New(), nil
	case "cache":
		return cache.New(memory.New(), cache.Options{TTL: time.Hour, ShortTTL: time.Hour})
	case "sqlite":
		s, err = sqlite.Open(ctx, place, sqlite.Options{})
	case "postgres":
		s, err = postgres.Open(ctx, place, postgres.Options{Schema: name})
	case "redis":
		s, err = redis.Open(ctx, place, redis.Options{Prefix: name + ":"})
	default:
		return nil, fmt.Errorf("unknown engine %q", engine)
	}
	if err != nil {
		return nil, err
	}
	return s, s.(interface{ Migrate(context.Context) error }).Migrate(ctx)
}

// fixture is a filled store.
type fixture struct {
	s     store.Store
	a     *macaroon.Authority
	texts []string // of the tokens
	ids   []string
	n     int // operations so far
}

func user(n int) caveat.Subject { return caveat.User(fmt.Sprint("user", n)) }

func fill(ctx context.Context, s store.Store) (*fixture, error) {
	a, err := macaroon.NewAuthority(s)
	if err != nil {
		return nil, err
	}
	f := &fixture{s: s, a: a}
	for n := range tokens {
		holder := user(n / perUser)
		if n%perUser == 0 {
			if err := s.CreateIdentity(ctx, store.Identity{Subject: holder, Created: 1}); err != nil {
				return nil, err
			}
			if _, err := s.EnsureTemporaryKey(ctx, holder, store.NewSecret(fmt.Sprintf("%064x", n))); err != nil {
				return nil, err
			}
		}
		t, err := a.IssueNamed(ctx, fmt.Sprint("token ", n), macaroon.Grant{
			Subject: holder, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(time.Now().Add(24 * time.Hour))},
		})
		if err != nil {
			return nil, err
		}
		f.texts, f.ids = append(f.texts, t.String()), append(f.ids, t.ID())
	}
	return f, nil
}

// round repeats an operation for a while and returns the lower quartile of its
// time.
func (f *fixture) round(ctx context.Context, operation string) (time.Duration, error) {
	do, each := f.operation(ctx, operation), inRow
	if strings.HasPrefix(operation, "create") || operation == "revoke" {
		each = 1
	}
	if operation == "create, 64 callers" {
		return together(do)
	}
	var took []time.Duration
	for start := time.Now(); time.Since(start) < round; {
		before := time.Now()
		for range each {
			f.n++
			if err := do(f.n); err != nil {
				return 0, err
			}
		}
		took = append(took, time.Since(before)/time.Duration(each))
	}
	slices.Sort(took)
	return took[len(took)/4], nil
}

// names are numbers of tokens that were never used before.
var names = make(chan int)

func init() {
	go func() {
		for n := tokens; ; n++ {
			names <- n
		}
	}()
}

func (f *fixture) operation(ctx context.Context, operation string) func(n int) error {
	switch {
	case operation == "look-up":
		return func(n int) error { return second(f.s.NamedKey(ctx, f.ids[n%tokens])) }
	case operation == "look-up of a temporary key":
		return func(n int) error { return second(f.s.TemporaryKey(ctx, user(n%(tokens/perUser)))) }
	case operation == "verify":
		return func(n int) error { return second(f.a.VerifyAccess(ctx, f.texts[n%tokens], caveat.Request{})) }
	case operation == "read a record":
		return func(n int) error { return second(f.s.GetToken(ctx, f.ids[n%tokens])) }
	case operation == "list ten tokens":
		return func(n int) error {
			_, _, err := f.s.ListTokens(ctx, store.Query{Subject: user(n % (tokens / perUser))})
			return err
		}
	case strings.HasPrefix(operation, "create"):
		return func(int) error {
			n := <-names
			return second(f.s.CreateToken(ctx, store.Token{
				ID: fmt.Sprintf("%032x", n), Name: fmt.Sprint("new ", n), Version: 2, Subject: caveat.User("maker"), Type: "act",
				Caveats: []string{"time < 1893456000"}, Secret: store.NewSecret(fmt.Sprintf("%064x", n)), Created: int64(n),
			}, 0))
		}
	case operation == "revoke":
		return func(n int) error {
			return f.s.UpdateToken(ctx, f.ids[n%tokens], func(t *store.Token) error { t.Revoked = !t.Revoked; return nil })
		}
	}
	return func(int) error { return fmt.Errorf("unknown operation %q", operation) }
}

// together calls do from many goroutines and returns the time for each call.
func together(do func(int) error) (time.Duration, error) {
	const each = 8
	errs := make(chan error, callers)
	start := time.Now()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				if err := do(0); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(start) / (callers * each)
	select {
	case err := <-errs:
		return 0, err
	default:
		return took, nil
	}
}

func second[T any](_ T, err error) error { return err }
