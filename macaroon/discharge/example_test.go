package discharge_test

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// A service accepts a macaroon only with the word of an identity service. Both
// share a key.
func Example() {
	rootKey := store.NewSecret("known to the photo service only")
	sharedKey := store.NewSecret("known to the photo and the identity service")
	must := func(m general.Macaroon, err error) general.Macaroon {
		if err != nil {
			panic(err)
		}
		return m
	}

	// The photo service.
	m := must(general.New("https://photos.example.org", "album 7", rootKey))
	m = must(discharge.Add(m, discharge.Caveat{
		Location: "https://id.example.org", Identifier: "the user is alice", Key: sharedKey,
	}))

	// The client asks for a discharge of each caveat that needs one.
	needed := discharge.Needed(m)
	fmt.Println(needed[0].Location, needed[0].Text)

	// The identity service.
	d := must(general.New("https://id.example.org", needed[0].Text, sharedKey))
	d = must(d.Confine("time < 1700000000"))

	// The client binds the discharge to its macaroon, and sends both.
	bound, err := discharge.Bind(m, d)
	if err != nil {
		panic(err)
	}

	// The photo service.
	for _, now := range []int64{1600000000, 1700000000} {
		_, err = discharge.Verify(context.Background(), m, rootKey, caveat.Request{Now: time.Unix(now, 0)}, bound...)
		fmt.Println(err)
	}
	_, err = discharge.Verify(context.Background(), m, rootKey, caveat.Request{}, d)
	fmt.Println(err)

	// Output:
	// https://id.example.org the user is alice
	// <nil>
	// tokenCaveatUnverified: The token is not valid here because of a caveat: the token is good only before 2023-11-14T22:13:20Z.
	// tokenInvalid: The token is not valid.
}

// A client sends its token and the discharge of the identity service in one
// header, together with a token for another service.
func ExampleVerifyBundle() {
	rootKey := store.NewSecret("known to the photo service only")
	sharedKey := store.NewSecret("known to the photo and the identity service")
	must := func(m general.Macaroon, err error) general.Macaroon {
		if err != nil {
			panic(err)
		}
		return m
	}
	album := must(general.New("https://photos.example.org", "album 7", rootKey))
	album = must(discharge.Add(album, discharge.Caveat{
		Location: "https://id.example.org", Identifier: "the user is alice", Key: sharedKey,
	}))
	alice := must(general.New("https://id.example.org", "the user is alice", sharedKey))
	bound, err := discharge.Bind(album, must(alice.Confine("time < 1700000000")))
	if err != nil {
		panic(err)
	}
	inbox := must(general.New("https://mail.example.org", "inbox", store.NewSecret("known to the mail service only")))
	sent, err := general.NewBundle(general.V2, album, inbox, bound[0])
	if err != nil {
		panic(err)
	}
	header, err := sent.Header(general.DefaultScheme)
	if err != nil {
		panic(err)
	}

	// The photo service.
	received, err := general.ParseBundle(header, general.V2)
	if err != nil {
		panic(err)
	}
	ours := received.Filter(func(m general.Macaroon) bool { return m.Location() == "https://photos.example.org" })
	keys := func(context.Context, general.Macaroon) (store.Secret, error) { return rootKey, nil }
	caveats, err := discharge.VerifyBundle(context.Background(), ours, keys, caveat.Request{Now: time.Unix(1600000000, 0)})
	fmt.Println(received, ours, caveats[0].Texts(), err)

	_, err = discharge.VerifyBundle(context.Background(), received, keys, caveat.Request{Now: time.Unix(1600000000, 0)})
	fmt.Println(err)

	// Output:
	// [bundle of 3 macaroons] [bundle of 2 macaroons] [time < 1700000000] <nil>
	// tokenInvalid: The token is not valid.
}
