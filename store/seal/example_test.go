package seal_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
)

// newKey returns a random key. In production, load it from a secret manager.
func newKey(id string) seal.Key {
	material := make([]byte, 32)
	rand.Read(material)
	return seal.Key{ID: id, Material: store.NewSecret(string(material))}
}

func Example() {
	ctx := context.Background()
	backend := memory.New() // or a database
	defer backend.Close()
	keys, err := seal.NewStaticKeys(newKey("2024-10"))
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := seal.New(ctx, backend, keys, seal.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}

	alice := store.Identity{Subject: caveat.User("4a1f"), Username: "alice", Password: store.NewSecret("the hash")}
	if err := s.CreateIdentity(ctx, alice); err != nil {
		fmt.Println(err)
		return
	}
	kept, _ := backend.GetIdentity(ctx, alice.Subject)
	fmt.Println("the backend sees it:", strings.Contains(kept.Password.Reveal(), "the hash"))
	seen, _ := s.GetIdentity(ctx, alice.Subject)
	fmt.Println("the application sees it:", seen.Password.Equal(alice.Password))
	// Output:
	// the backend sees it: false
	// the application sees it: true
}

// A new key becomes the primary key, and the old one stays in the ring to open
// old secrets.
func ExampleNewStaticKeys_rotation() {
	ctx := context.Background()
	backend := memory.New()
	defer backend.Close()
	old, current := newKey("2024-10"), newKey("2025-10")

	keys, _ := seal.NewStaticKeys(old)
	before, _ := seal.New(ctx, backend, keys, seal.Options{})
	subject := caveat.User("4a1f")
	if _, err := before.EnsureTemporaryKey(ctx, subject, store.NewSecret("secret")); err != nil {
		fmt.Println(err)
		return
	}

	keys, _ = seal.NewStaticKeys(current, old)
	after, _ := seal.New(ctx, backend, keys, seal.Options{})
	key, err := after.TemporaryKey(ctx, subject)
	fmt.Println(key.Secret.Reveal(), err)

	keys, _ = seal.NewStaticKeys(current)
	_, err = seal.New(ctx, backend, keys, seal.Options{})
	fmt.Println(err)
	// Output:
	// secret <nil>
	// open a sealed store: open the secret of the canary of the store: unwrap with the key "2024-10": the secret is sealed under a key that is not in the ring
}

// Reseal replaces the old key by the new one, so that the old key can be
// removed. Call it when every process has the new ring.
func ExampleStore_Reseal() {
	ctx := context.Background()
	backend := memory.New()
	defer backend.Close()
	old, current := newKey("2024-10"), newKey("2025-10")
	keys, _ := seal.NewStaticKeys(old)
	before, _ := seal.New(ctx, backend, keys, seal.Options{})
	subject := caveat.User("4a1f")
	if _, err := before.EnsureTemporaryKey(ctx, subject, store.NewSecret("secret")); err != nil {
		fmt.Println(err)
		return
	}

	keys, _ = seal.NewStaticKeys(current, old)
	s, _ := seal.New(ctx, backend, keys, seal.Options{})
	done, err := s.Reseal(ctx, seal.ResealOptions{})
	if err != nil {
		// Call it again with ResealOptions.From set to done.Next.
		fmt.Println("stopped at", done.Next, err)
		return
	}
	fmt.Println("resealed:", done.Resealed)

	keys, _ = seal.NewStaticKeys(current)
	after, _ := seal.New(ctx, backend, keys, seal.Options{})
	key, err := after.TemporaryKey(ctx, subject)
	fmt.Println(key.Secret.Reveal(), err)
	// Output:
	// resealed: 1
	// secret <nil>
}
