package restcases

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// Prefix is the path prefix of the API.
const Prefix = rest.Prefix

// PeerIP is the address of the clients of a world.
const PeerIP = "192.0.2.7"

// The parties of a world. Alice belongs to the Oneprovider Kraków; Olga may
// update the cluster of Kraków, Mia is a member of it, and Ada manages all tokens.
var (
	Alice  = caveat.User("u-alice")
	Bob    = caveat.User("u-bob")
	Olga   = caveat.User("u-olga")
	Mia    = caveat.User("u-mia")
	Ada    = caveat.User("u-ada")
	Krakow = caveat.Provider("p-krakow")
	Lyon   = caveat.Provider("p-lyon")
)

// Fixture is an Onezone with an API, some parties and some tokens.
type Fixture struct {
	*macaroontest.Harness
	tb       testing.TB
	Handler  http.Handler
	Laptop   macaroon.Token // "laptop", a named access token of Alice's
	Transfer macaroon.Token // "transfer", a named access token of Kraków's
	ID       macaroon.Token // an identity token of Alice's
	Invite   macaroon.Token // Alice's invitation of a user to the group g-1

	inherited []caveat.Caveat // caveats of the client's token, which tokens in the answer inherit
}

// NewFixture returns a world whose API has the options.
func NewFixture(tb testing.TB, options ...rest.Option) *Fixture {
	tb.Helper()
	return newWorld(tb, nil, options)
}

// NewThrottledWorld returns a world with a limit on failed log-ins.
func NewThrottledWorld(tb testing.TB, failures int, interval time.Duration) *Fixture {
	tb.Helper()
	return newWorld(tb, macaroon.WithThrottle(failures, interval), nil)
}

func newWorld(tb testing.TB, authority macaroon.Option, options []rest.Option) *Fixture {
	tb.Helper()
	var zone Onezone
	w := &Fixture{tb: tb, Harness: macaroontest.New(tb,
		macaroon.WithMemberships(zone), macaroon.WithSessions(zone), macaroon.WithInviters(zone),
		macaroon.WithDomain("onezone.example.com"), authority)}
	for _, user := range []caveat.Subject{Olga, Mia, Ada} {
		w.must(tb, w.Store.CreateIdentity(tb.Context(), store.Identity{
			Subject: user, Username: strings.TrimPrefix(user.ID, "u-"), Created: macaroontest.Start.Unix(),
		}))
	}
	w.must(tb, w.Store.CreateIdentity(tb.Context(), store.Identity{Subject: Lyon, FullName: "Lyon"}))
	w.Laptop = w.Named(tb, "laptop", macaroon.Grant{Subject: Alice, Type: macaroon.AccessToken()})
	w.Transfer = w.Named(tb, "transfer", macaroon.Grant{Subject: Krakow, Type: macaroon.AccessToken()})
	w.ID = w.Named(tb, "identity", macaroon.Grant{Subject: Alice, Type: macaroon.IdentityToken()})
	w.Invite = w.Named(tb, "invitation", macaroon.Grant{
		Subject: Alice, Type: macaroon.InviteToken(macaroon.UserJoinGroup, "g-1"), UsageLimit: 3,
	})
	var err error
	options = append([]rest.Option{rest.WithRights(zone), rest.WithDataScopes(zone)}, options...)
	w.Handler, err = rest.NewHandler(w.Authority, options...)
	w.must(tb, err)
	return w
}

func (w *Fixture) must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("preparing a world: %v", err)
	}
}

// Named issues a named token.
func (w *Fixture) Named(tb testing.TB, name string, g macaroon.Grant) macaroon.Token {
	tb.Helper()
	t, err := w.Authority.IssueNamed(tb.Context(), name, g)
	w.must(tb, err)
	return t
}

// Hour returns the time caveat of a token that is valid for an hour.
func (w *Fixture) Hour() caveat.Time { return caveat.Until(w.Clock.Now().Add(time.Hour)) }

// By returns an access token of the subject, with exactly these caveats, as
// credentials.
func (w *Fixture) By(tb testing.TB, subject caveat.Subject, cs ...caveat.Caveat) macaroontest.Credentials {
	tb.Helper()
	key, err := w.Store.EnsureTemporaryKey(tb.Context(), subject, store.NewSecret("of "+subject.ID))
	w.must(tb, err)
	t, err := macaroon.Mint(macaroon.Spec{
		Domain: w.Authority.Domain(), ID: "client", Generation: key.Generation, Subject: subject, Type: macaroon.AccessToken(), Caveats: cs,
	}, key.Secret)
	w.must(tb, err)
	return macaroontest.Bearer(t)
}

// secrets returns the secrets of all records.
func (w *Fixture) secrets(tb testing.TB) (texts []string) {
	tb.Helper()
	for _, kind := range []store.RecordKind{store.IdentityRecords, store.TemporaryRecords, store.TokenRecords} {
		records, _, err := w.Store.Export(context.Background(), kind, "", store.MaxPage)
		w.must(tb, err)
		for _, r := range records {
			switch {
			case r.Token != nil:
				texts = append(texts, r.Token.Secret.Reveal())
			case r.Temporary != nil:
				texts = append(texts, r.Temporary.Secret.Reveal())
			case !r.Identity.Password.IsZero():
				texts = append(texts, r.Identity.Password.Reveal())
			}
		}
	}
	if len(texts) == 0 {
		tb.Fatal("the world has no secrets")
	}
	return texts
}

// Onezone provides the data of the world besides tokens and users.
type Onezone struct{}

// ManagesTokens implements rest.Rights.
func (Onezone) ManagesTokens(_ context.Context, user caveat.Subject) (bool, error) {
	return user == Ada, nil
}

// UpdatesCluster implements rest.Rights.
func (Onezone) UpdatesCluster(_ context.Context, user caveat.Subject, cluster string) (bool, error) {
	return user == Olga && cluster == Krakow.ID, nil
}

// InProvider implements macaroon.Memberships.
func (Onezone) InProvider(_ context.Context, user caveat.Subject, provider string) (bool, error) {
	return user == Alice && provider == Krakow.ID, nil
}

// InCluster implements macaroon.Memberships.
func (Onezone) InCluster(_ context.Context, user caveat.Subject, cluster string) (bool, error) {
	return user == Mia && cluster == Krakow.ID, nil
}

// BelongsTo implements macaroon.Sessions.
func (Onezone) BelongsTo(_ context.Context, session string, user caveat.Subject) (bool, error) {
	return user == Alice && session == "s-alice", nil
}

// CheckInvitation implements macaroon.Inviters. Targets that begin with "x" do
// not exist. Alice may invite to all others, and may set privileges unless the
// id ends in "plain". A Oneprovider may invite to its own cluster.
func (Onezone) CheckInvitation(_ context.Context, i macaroon.Invitation) error {
	switch {
	case strings.HasPrefix(i.Target, "x"):
		return errors.InviteTokenTargetIDInvalid(i.Target)
	case i.Inviter == caveat.Provider(i.Target) && i.Type == macaroon.UserJoinCluster:
	case i.Inviter != Alice, i.Custom && strings.HasSuffix(i.Target, "plain"):
		return errors.InviteTokenSubjectNotAuthorized()
	}
	return nil
}

// Spaces implements rest.DataScopes.
func (Onezone) Spaces(_ context.Context, user caveat.Subject) ([]rest.Space, error) {
	if user != Alice {
		return nil, nil
	}
	return []rest.Space{
		{ID: "s-1", Name: "one", Storages: []rest.Storage{{Provider: "p-krakow", Readonly: true}, {Provider: "p-krakow"}, {Provider: "p-lyon", Readonly: true}}},
		{ID: "s-2", Name: "two", Storages: []rest.Storage{{Provider: "p-lyon"}}},
		{ID: "s-3", Name: "three"},
	}, nil
}

// Provider implements rest.DataScopes.
func (Onezone) Provider(_ context.Context, id string) (rest.ProviderInfo, error) {
	name := strings.TrimPrefix(id, "p-")
	if name == id {
		return rest.ProviderInfo{}, fmt.Errorf("there is no provider %q", id)
	}
	return rest.ProviderInfo{Name: name, Domain: name + ".example.com", Version: "21.02.8", Online: name == "krakow"}, nil
}
