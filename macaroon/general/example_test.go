package general_test

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// A service issues macaroons of its own, and accepts them in two formats.
func Example() {
	key := store.NewSecret("the root key, which only the service knows")
	m, err := general.New("https://photos.example.org", "album 7", key)
	if err != nil {
		panic(err)
	}
	m, err = m.Confine("time < 1700000000")
	if err != nil {
		panic(err)
	}
	text, err := m.Encode(general.V2JSON)
	if err != nil {
		panic(err)
	}

	received, err := general.Parse(text, general.V2|general.V2JSON)
	if err != nil {
		panic(err)
	}
	for _, now := range []int64{1600000000, 1700000000} {
		_, err = received.Verify(context.Background(), key, caveat.Request{Now: time.Unix(now, 0)})
		fmt.Println(received.Identifier(), now, err == nil)
	}

	_, err = general.Parse(text, general.V1)
	fmt.Println(err)

	// Output:
	// album 7 1600000000 true
	// album 7 1700000000 false
	// badToken: The token could not be understood: its format is v2-json, and only v1 is accepted.
}

// A client sends the tokens of two services in one header. Each service takes
// its own out of it.
func ExampleBundle() {
	key := store.NewSecret("the root key, which only the service knows")
	album, err := general.New("https://photos.example.org", "album 7", key)
	if err != nil {
		panic(err)
	}
	inbox, err := general.New("https://mail.example.org", "inbox 7", store.NewSecret("the root key of another service"))
	if err != nil {
		panic(err)
	}
	sent, err := general.NewBundle(general.V2, album, inbox)
	if err != nil {
		panic(err)
	}
	header, err := sent.Header(general.DefaultScheme)
	if err != nil {
		panic(err)
	}

	received, err := general.ParseBundle(header, general.V2)
	if err != nil {
		panic(err)
	}
	ours := received.Filter(func(m general.Macaroon) bool { return m.Location() == "https://photos.example.org" })
	fmt.Println(received, ours)
	for _, e := range ours.Entries() {
		_, err := e.Token.Verify(context.Background(), key, caveat.Request{})
		fmt.Println(e.Token.Identifier(), len(e.Discharges), err == nil)
	}

	// Output:
	// [bundle of 2 macaroons] [bundle of 1 macaroons]
	// album 7 0 true
}

// A verifier looks up the root key of each macaroon. It recognizes macaroons that
// it has seen before, and yet refuses them when their key is gone.
func ExampleVerifier() {
	rootKeys := map[string]store.Secret{"album 7": store.NewSecret("the root key of album 7")}
	verifier, err := general.NewVerifier(func(_ context.Context, m general.Macaroon) (store.Secret, error) {
		key, ok := rootKeys[m.Identifier()]
		if !ok {
			return store.Secret{}, errors.NotFound()
		}
		return key, nil
	}, general.Options{Formats: general.V2})
	if err != nil {
		panic(err)
	}
	m, err := general.New("https://photos.example.org", "album 7", rootKeys["album 7"])
	if err != nil {
		panic(err)
	}
	text, err := m.Encode(general.V2)
	if err != nil {
		panic(err)
	}

	verified, _, err := verifier.Verify(context.Background(), text, caveat.Request{})
	fmt.Println(verified, err)
	delete(rootKeys, "album 7")
	_, _, err = verifier.Verify(context.Background(), text, caveat.Request{})
	fmt.Println(err)

	// Output:
	// [macaroon album 7] <nil>
	// tokenInvalid: The token is not valid.
}
