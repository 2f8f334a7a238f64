package discharge_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// An identity service tells a photo service who the user is.
func Example_http() {
	ctx := context.Background()

	// The identity service knows its users by their credentials.
	key := discharge.NewKey()
	identity, err := discharge.NewHandler(key, func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
		wanted, ok := strings.CutPrefix(q.Condition, "user = ")
		switch user, _, _ := q.Request.BasicAuth(); {
		case !ok:
			return discharge.Answer{}, errors.BadDataHint("condition", "it is unknown")
		case user != wanted:
			return discharge.Answer{}, errors.Forbidden("you are somebody else")
		}
		return discharge.Grant("time < 1700000000"), nil
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(identity)
	defer server.Close()

	// The photo service knows the public key of the identity service.
	rootKey := store.NewSecret("known to the photo service only")
	m, err := general.New("https://photos.example.org", "album 7", rootKey)
	if err != nil {
		panic(err)
	}
	isAlice, err := key.Public().Caveat(server.URL, "user = alice")
	if err != nil {
		panic(err)
	}
	if m, err = discharge.Add(m, isAlice); err != nil {
		panic(err)
	}

	// The client of each user gets a discharge, or not.
	for _, user := range []string{"alice", "bob"} {
		client, err := discharge.NewClient([]string{server.URL}, discharge.WithCredentials(func(r *http.Request) error {
			r.SetBasicAuth(user, "a password")
			return nil
		}))
		if err != nil {
			panic(err)
		}
		discharges, err := client.Discharge(ctx, m)
		if err != nil {
			fmt.Println(user, "is refused:", errors.Is(err, errors.IDForbidden))
			continue
		}
		caveats, err := discharge.Verify(ctx, m, rootKey, caveat.Request{Now: time.Unix(1600000000, 0)}, discharges...)
		fmt.Println(user, "may see the album:", caveats.Texts(), err)
	}

	// Output:
	// alice may see the album: [time < 1700000000] <nil>
	// bob is refused: true
}
