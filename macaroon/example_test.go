package macaroon_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// newAuthority returns an authority with one user, at a fixed time.
func newAuthority(options ...macaroon.Option) (*macaroon.Authority, caveat.Subject) {
	users := memory.New()
	alice := caveat.User("alice")
	if err := users.CreateIdentity(context.Background(), store.Identity{Subject: alice}); err != nil {
		panic(err)
	}
	options = append(options, macaroon.WithClock(func() time.Time { return time.Unix(1_700_000_000, 0) }))
	authority, err := macaroon.NewAuthority(users, options...)
	if err != nil {
		panic(err)
	}
	return authority, alice
}

func Example() {
	ctx := context.Background()
	authority, alice := newAuthority()
	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	if err != nil {
		panic(err)
	}
	// A copy for a colleague in the office, valid for five minutes.
	lent, err := token.Confine(caveat.MustParse("ip = 10.0.0.0/8"), caveat.Until(authority.Now().Add(5*time.Minute)))
	if err != nil {
		panic(err)
	}
	// Later, the service receives the text in a request.
	received := lent.String()
	auth, err := authority.VerifyAccess(ctx, received, caveat.Request{IP: netip.MustParseAddr("10.1.2.3")})
	fmt.Println(auth.Subject, err)
	_, err = authority.VerifyAccess(ctx, received, caveat.Request{IP: netip.MustParseAddr("192.0.2.1")})
	fmt.Println(errors.Is(err, errors.IDTokenCaveatUnverified))
	// Output:
	// usr-alice <nil>
	// true
}

func ExampleMint() {
	// Both sides know the secret, so no store is needed.
	secret := store.NewSecret("5fae9847bfb530bae8c20128b462076fd69fc89bdd26759b81020f1dcc3fcd04")
	token, err := macaroon.Mint(macaroon.Spec{
		Domain: "onezone.example.com", ID: "4c71496b", Subject: caveat.User("d4f5876d"), Type: macaroon.AccessToken(),
	}, secret)
	if err != nil {
		panic(err)
	}
	auth, err := token.Verify(context.Background(), secret, caveat.Request{})
	fmt.Println(auth.Subject, err)
	// Output: usr-d4f5876d <nil>
}

func ExampleAuthority_VerifyAccess() {
	ctx := context.Background()
	authority, alice := newAuthority()
	token, err := authority.IssueNamed(ctx, "pipeline", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.REST, caveat.MustParse("api = ozw/get/space.*.*:*")},
	})
	if err != nil {
		panic(err)
	}
	auth, err := authority.VerifyAccess(ctx, token.String(), caveat.Request{Interface: caveat.REST})
	if err != nil {
		panic(err) // goes into the answer as it is: its JSON, and HTTPStatus
	}
	// Each operation must be authorized.
	space, err := caveat.ParseGRI("space.s1.instance:private")
	if err != nil {
		panic(err)
	}
	fmt.Println(auth.Subject, "reads:", auth.Authorize(caveat.OzWorker, caveat.Get, space) == nil)
	fmt.Println(auth.Subject, "deletes:", auth.Authorize(caveat.OzWorker, caveat.Delete, space) == nil)
	// Output:
	// usr-alice reads: true
	// usr-alice deletes: false
}

func ExampleToken_Inspect() {
	token, err := macaroon.Parse("MDAxNWxvY2F00aW9uIG9uZXpvbmUKMDAzYmlkZW500aWZpZXIgSlVxNGFLVkJSTXVFN3FLbHNQVHlNX00lLeHpYZXNWdVFSMGNfMldpOXFZNAowMDFhY2lkIHRpbWUgPCAxNTIyMzU4MzMzCjAwMmZzaWduYXR1cmUgv02ByyOA9802H02rPMB7Y9mIhDVAjYDmjAUjtrMs13znukK")
	if err != nil {
		panic(err)
	}
	fmt.Print(token.Inspect())
	// Output:
	// token     JUq4aKVBRMuE7qKlsPTyM_IKxzXesVuQR0c_2Wi9qY4 (not verified)
	// domain    onezone
	// type      access token
	// subject   known to the issuer only (version 1)
	// kind      named
	// expires   1522358333 (2018-03-29T21:18:53Z)
	// caveat    time < 1522358333
}

func ExampleAuthority_RevokeConfined() {
	ctx := context.Background()
	authority, alice := newAuthority()
	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	if err != nil {
		panic(err)
	}
	lent, err := token.Confine(caveat.REST)
	if err != nil {
		panic(err)
	}
	if err := authority.RevokeConfined(ctx, lent); err != nil {
		panic(err)
	}
	_, err = authority.VerifyAccess(ctx, lent.String(), caveat.Request{Interface: caveat.REST})
	fmt.Println("the copy:", err)
	_, err = authority.VerifyAccess(ctx, token.String(), caveat.Request{Interface: caveat.REST})
	fmt.Println("the token:", err)
	// Output:
	// the copy: tokenRevoked: The token was revoked.
	// the token: <nil>
}

// everybodyInvites lets every user invite to every group.
type everybodyInvites struct{}

func (everybodyInvites) CheckInvitation(context.Context, macaroon.Invitation) error { return nil }

func ExampleAuthority_Consume() {
	ctx := context.Background()
	authority, alice := newAuthority(macaroon.WithInviters(everybodyInvites{}))
	token, err := authority.IssueNamed(ctx, "for Bob", macaroon.Grant{
		Subject: alice, Type: macaroon.InviteToken(macaroon.UserJoinGroup, "choir"), UsageLimit: 1,
	})
	if err != nil {
		panic(err)
	}
	bob := caveat.Request{Consumer: caveat.User("bob")}
	join := func(_ context.Context, i macaroon.Invitation) error {
		fmt.Println("bob joins the group", i.Target, "with", i.Privileges)
		return nil
	}
	fmt.Println(authority.Consume(ctx, token.String(), macaroon.UserJoinGroup, bob, join))
	err = authority.Consume(ctx, token.String(), macaroon.UserJoinGroup, bob, join)
	fmt.Println(errors.Is(err, errors.IDInviteTokenUsageLimitReached))
	// Output:
	// bob joins the group choir with [group_view]
	// <nil>
	// true
}

func ExampleWithVocabulary() {
	vocabulary, err := caveat.NewVocabulary(caveat.Kind{
		Name: "project",
		Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
			return value == "42", nil // a program asks what ctx is about
		},
	})
	if err != nil {
		panic(err)
	}
	authority, alice := newAuthority(macaroon.WithVocabulary(vocabulary))
	only42, err := vocabulary.New("project", "42")
	if err != nil {
		panic(err)
	}
	token, err := authority.IssueNamed(context.Background(), "builds", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{only42},
	})
	if err != nil {
		panic(err)
	}
	auth, err := authority.VerifyAccess(context.Background(), token.String(), caveat.Request{})
	fmt.Println(auth.Subject, auth.Caveats(), err)
	// Output: usr-alice [project = 42] <nil>
}

func ExampleWithObserver() {
	observer := func(_ context.Context, e macaroon.Event) {
		if e.Kind == macaroon.Refused {
			fmt.Println(e.Kind, e.CaveatType, e.CaveatIndex, errors.Is(e.Err, errors.IDTokenCaveatUnverified))
		}
	}
	authority, alice := newAuthority(macaroon.WithObserver(observer))
	token, err := authority.IssueNamed(context.Background(), "old", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.REST, caveat.Until(authority.Now())},
	})
	if err != nil {
		panic(err)
	}
	_, _ = authority.VerifyAccess(context.Background(), token.String(), caveat.Request{Interface: caveat.REST})
	// Output: refused time 1 true
}

// Try a token before handing it out.
func ExampleAuthority_Explain() {
	ctx := context.Background()
	authority, alice := newAuthority()
	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Until(authority.Now().Add(time.Hour)), caveat.MustParse("ip = 10.0.0.0/8"), caveat.REST},
	})
	if err != nil {
		panic(err)
	}
	trial := macaroon.Trial{Attempt: caveat.Attempt{Request: caveat.Request{IP: netip.MustParseAddr("192.0.2.1")}}}
	e, err := authority.Explain(ctx, token.String(), trial)
	if err != nil {
		panic(err) // says nothing about the token
	}
	fmt.Println("accepted:", e.Accepted())
	for _, c := range e.Caveats {
		fmt.Printf("%v %s: %s\n", c.Caveat, c.Verdict, c.Reason)
		if c.Remedy != "" {
			fmt.Println("    " + c.Remedy)
		}
		for _, change := range c.Changes {
			fmt.Println("    from", change.At.Format(time.RFC3339), "it holds:", change.Holds)
		}
	}
	// Output:
	// accepted: false
	// time < 1700003600 holds: the time is 2023-11-14T22:13:20Z
	//     from 2023-11-14T23:13:20Z it holds: false
	// ip = 10.0.0.0/8 doesNotHold: the client's address is 192.0.2.1, at all times
	//     the client's address must be in one of the networks "10.0.0.0/8"
	// interface = rest cannotTell: the interface that receives the token is unknown
	//     the token may be used only through the interface "rest"
}

// Derive the caveats of a token from what its client does.
func ExampleNarrow() {
	download := func(ip, path string) caveat.Attempt {
		return caveat.Attempt{
			Request: caveat.Request{IP: netip.MustParseAddr(ip), DataAccess: true},
			Access:  caveat.Read, File: caveat.File{Path: path},
		}
	}
	proposals, err := macaroon.Narrow(context.Background(), macaroon.Spec{Type: macaroon.AccessToken()}, caveat.Recording{
		Attempts: []caveat.Attempt{download("10.1.2.3", "/lab/results/a"), download("10.1.2.7", "/lab/results/b")},
		Until:    time.Unix(1_700_000_000, 0),
	})
	if err != nil {
		panic(err)
	}
	for _, p := range proposals {
		fmt.Printf("%v refuses %s\n", p.Caveat, p.Refuses)
	}
	// Output:
	// time < 1700000000 refuses requests at and after 2023-11-14T22:13:20Z
	// ip = 10.1.2.3/32|10.1.2.7/32 refuses requests from all other addresses
	// data.readonly refuses requests that change files
	// data.path = L2xhYi9yZXN1bHRz refuses requests for files elsewhere
}
