package redis_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

func ExampleOpen() {
	ctx := context.Background()
	s, err := redis.Open(ctx, "redis://localhost:6379", redis.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
}

// A Cluster with one replica for each master. Every write waits for a replica.
func ExampleNew() {
	ctx := context.Background()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{"10.0.0.1:6379", "10.0.0.2:6379"}})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	s := redis.New(client, redis.Options{WaitReplicas: 1, WaitTimeout: 100 * time.Millisecond})
	if err := s.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
}

func ExampleStore_Watch() {
	ctx := context.Background()
	s, err := redis.Open(ctx, "redis://localhost:6379", redis.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	err = s.Watch(ctx, func(c store.Change) {
		switch c.Kind {
		case store.FeedUp, store.FeedDown:
			fmt.Println("forget everything")
		case store.TokenChanged:
			fmt.Println("forget the token", c.TokenID)
		}
	})
	log.Print(err)
}
