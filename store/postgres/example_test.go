package postgres_test

import (
	"context"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// The application configures and closes the pool.
func Example() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://onezone@db.example.org/onezone")
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	s := postgres.New(pool, postgres.Options{})
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	key, err := s.TemporaryKey(ctx, caveat.User("alice"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Generation)
}

// An application that needs no pool of its own.
func ExampleOpen() {
	ctx := context.Background()
	s, err := postgres.Open(ctx, "postgres://onezone@db.example.org/onezone?pool_max_conns=20", postgres.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
}

// A replica drops cached records that other replicas change.
func ExampleStore_Watch() {
	ctx := context.Background()
	s, err := postgres.Open(ctx, "postgres://onezone@db.example.org/onezone", postgres.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	err = s.Watch(ctx, func(c store.Change) {
		switch c.Kind {
		case store.TokenChanged:
			fmt.Println("forget the token", c.TokenID)
		case store.FeedUp, store.FeedDown:
			fmt.Println("forget everything")
		}
	})
	log.Print(err)
}
