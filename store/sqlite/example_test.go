package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// A token is valid after a restart.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "onezone")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "onezone.db")
	alice := caveat.User("alice")

	open := func() (*sqlite.Store, *macaroon.Authority) {
		s, err := sqlite.Open(ctx, path, sqlite.Options{})
		if err != nil {
			panic(err)
		}
		if err := s.Migrate(ctx); err != nil {
			panic(err)
		}
		authority, err := macaroon.NewAuthority(s)
		if err != nil {
			panic(err)
		}
		return s, authority
	}

	s, authority := open()
	if err := s.CreateIdentity(ctx, store.Identity{Subject: alice}); err != nil {
		panic(err)
	}
	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	if err != nil {
		panic(err)
	}
	if err := s.Close(); err != nil {
		panic(err)
	}

	s, authority = open()
	defer s.Close()
	auth, err := authority.VerifyAccess(ctx, token.String(), caveat.Request{})
	fmt.Println(auth.Subject, err)
	// Output: usr-alice <nil>
}

// The tables may share a file with those of the application, which owns the
// handle.
func ExampleNew() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "onezone")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, "app.db")+"?_journal_mode=WAL&_synchronous=FULL&_foreign_keys=on")
	if err != nil {
		panic(err)
	}
	defer db.Close()

	s := sqlite.New(db, sqlite.Options{})
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		panic(err)
	}
	key, err := s.EnsureTemporaryKey(ctx, caveat.User("alice"), store.NewSecret("b2c1d0"))
	fmt.Println(key.Subject, key.Generation, key.Secret, err)
	// Output: usr-alice 1 [redacted] <nil>
}
