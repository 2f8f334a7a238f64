package general_test

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
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
