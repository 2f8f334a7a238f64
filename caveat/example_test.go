package caveat_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// Parse the caveats of a token and decide each for a request.
func Example() {
	req := &caveat.Request{
		Now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
		IP:  netip.MustParseAddr("10.1.2.3"),
	}
	for _, text := range []string{"time < 1800000000", "ip = 10.0.0.0/8", "interface = rest", "moon = full"} {
		c, err := caveat.Parse(text)
		if err == nil {
			err = caveat.Check(context.Background(), c, req)
		}
		fmt.Printf("%-18s %v\n", text, err)
	}

	// Output:
	// time < 1800000000  <nil>
	// ip = 10.0.0.0/8    <nil>
	// interface = rest   tokenCaveatUnverified: The token is not valid here because of a caveat: the token may be used only through the interface "rest".
	// moon = full        tokenCaveatUnknown: The token holds a caveat that is not known: "moon = full".
}

// A token that may only read user details is used for more.
func ExampleAuthorize() {
	cs := []caveat.Caveat{caveat.MustParse("api = ozw/get/user.*.*:*")}
	user, err := caveat.ParseGRI("user.self.instance:private")
	if err != nil {
		panic(err)
	}
	fmt.Println(caveat.Authorize(cs, caveat.OzWorker, caveat.Get, user))
	err = caveat.Authorize(cs, caveat.OzWorker, caveat.Delete, user)
	fmt.Println(errors.Is(err, errors.IDUnauthorized), errors.Is(err, errors.IDTokenCaveatUnverified))

	// Output:
	// <nil>
	// true true
}

// A file service checks each file.
func ExampleCheckFile() {
	cs := []caveat.Caveat{caveat.DataReadonly{}, caveat.DataPath{"/lab/results"}}
	results := caveat.File{Path: "/lab/results/2026/run.csv"}
	notes := caveat.File{Path: "/lab/notes.txt"}

	fmt.Println("read results: ", caveat.CheckFile(cs, results, caveat.Read) == nil)
	fmt.Println("write results:", caveat.CheckFile(cs, results, caveat.Write) == nil)
	fmt.Println("read notes:   ", caveat.CheckFile(cs, notes, caveat.Read) == nil)

	// Output:
	// read results:  true
	// write results: false
	// read notes:    false
}

// An application adds a caveat of its own, "project = NUMBER", which is
// compared with a value in the context.
func ExampleNewVocabulary() {
	type project struct{}
	vocabulary, err := caveat.NewVocabulary(caveat.Kind{
		Name: "project",
		Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
			return ctx.Value(project{}) == value, nil
		},
	})
	if err != nil {
		panic(err)
	}
	c, err := vocabulary.New("project", "42")
	if err != nil {
		panic(err)
	}
	fmt.Println(c)
	for _, actual := range []string{"42", "7"} {
		ctx := context.WithValue(context.Background(), project{}, actual)
		fmt.Println(actual, caveat.Check(ctx, c, &caveat.Request{}) == nil)
	}
	_, err = caveat.Parse("project = 42") // without the vocabulary
	fmt.Println(errors.Is(err, errors.IDTokenCaveatUnknown))

	// Output:
	// project = 42
	// 42 true
	// 7 false
	// true
}

func ExampleFromJSON() {
	c, err := caveat.FromJSON([]byte(`{"type": "consumer", "whitelist": ["usr-u1", "grp-g1"]}`))
	fmt.Println(c, err)
	_, err = caveat.FromJSON([]byte(`{"type": "consumer", "whitelist": ["usr-"]}`))
	fmt.Println(err)

	// Output:
	// consumer = usr-u1|grp-g1 <nil>
	// badValueCaveat: Bad value: provided caveat is not valid: an id must not be empty.
}

// Derive the caveats of an offline access token.
func ExampleOfflineAccess() {
	cs := []caveat.Caveat{caveat.MustParse("ip = 10.0.0.0/8"), caveat.DataReadonly{}, caveat.DataPath{"/lab"}}
	offline, err := caveat.OfflineAccess(cs, "p1", 1800000000)
	if err != nil {
		panic(err)
	}
	for _, c := range offline {
		if c.Type() == caveat.TypeAPI {
			fmt.Println("api = ... (that of offline access)")
			continue
		}
		fmt.Println(c)
	}

	// Output:
	// time < 1800000000
	// service = opw-p1
	// consumer = prv-p1
	// data.readonly
	// api = ... (that of offline access)
	// data.path = L2xhYg==
}

func ExampleAvailableSpaces() {
	cs := []caveat.Caveat{caveat.DataPath{"/lab/results", "/archive"}}
	fmt.Println(caveat.AvailableSpaces(cs, []string{"home", "lab"}))
	fmt.Println(caveat.AvailableSpaces(cs, []string{"*"}))

	// Output:
	// [lab]
	// [archive lab]
}

func ExampleExpiry() {
	cs := []caveat.Caveat{caveat.Time{ValidUntil: 1800000000}, caveat.MustParse("time < 1700000000")}
	validUntil, ok := caveat.Expiry(cs)
	fmt.Println(validUntil, ok)

	// Output:
	// 1700000000 true
}
