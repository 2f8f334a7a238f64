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
