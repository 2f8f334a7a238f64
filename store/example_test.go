package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// Secrets are redacted in logs.
func ExampleSecret() {
	secret := store.NewSecret("8ed5a4dc9d4b1e5e")
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	logger.Info("created", "secret", secret)
	fmt.Printf("%+v\n", store.Temporary{Subject: caveat.User("alice"), Secret: secret, Generation: 1})
	fmt.Println(len(secret.Reveal()))
	// Output:
	// level=INFO msg=created secret=[redacted]
	// {Subject:usr-alice Secret:[redacted] Generation:1}
	// 16
}

// A listing is read page by page.
func ExampleQuery() {
	ctx := context.Background()
	s := memory.New()
	defer s.Close()
	for i, id := range []string{"a1", "b2", "c3"} {
		_, err := s.CreateToken(ctx, store.Token{
			ID: id, Name: "token " + id, Version: 2, Subject: caveat.User("alice"), Type: "act",
			Secret: store.NewSecret("secret " + id), Created: int64(100 - i),
		}, 0)
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	q := store.Query{Subject: caveat.User("alice"), Limit: 2}
	for {
		page, next, err := s.ListTokens(ctx, q)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, t := range page {
			fmt.Println(t.Created, t.Name)
		}
		if next.IsZero() {
			break
		}
		fmt.Println("-- page --")
		q.After = next
	}
	// Output:
	// 98 token c3
	// 99 token b2
	// -- page --
	// 100 token a1
}

// An update function changes a copy of the record. If it returns an error,
// UpdateToken returns it unchanged and writes nothing.
func ExampleUpdateToken() {
	old := store.Token{
		ID: "a1", Name: "laptop", Version: 2, Subject: caveat.User("alice"), Type: "act", Secret: store.NewSecret("secret"),
	}
	renamed, err := store.UpdateToken(old, func(t *store.Token) error {
		t.Name = "desktop"
		return nil
	})
	fmt.Println(old.Name, renamed.Name, err)

	_, err = store.UpdateToken(old, func(t *store.Token) error {
		t.Subject = caveat.User("mallory")
		return nil
	})
	fmt.Println(errors.Is(err, errors.IDBadData))
	// Output:
	// laptop desktop <nil>
	// true
}
