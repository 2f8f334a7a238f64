package oidc

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/onezone-go/onezone/errors"
)

// Defaults of the options.
const (
	DefaultMaxUsers = 10_000
	DefaultTimeout  = 5 * time.Second
)

// Options describe an issuer and who may log in. Issuer, Prefix, and either
// Audiences or AnyAudience are required.
type Options struct {
	// Issuer is the URL of the issuer, exactly as in the claim iss of its tokens. It
	// must be https, or http on a loopback address. Its discovery document is at
	// Issuer + "/.well-known/openid-configuration".
	Issuer string

	// Prefix marks the tokens of this issuer: "egi:". It must end in a character
	// that no Onezone token contains. Without that character it is the id of the
	// provider in errors: "egi".
	Prefix string

	// Audiences are the names of this service at the issuer. A token must have one
	// of them in the claim aud, and must be a JWT.
	Audiences []string

	// AnyAudience accepts tokens for other services, too. Every service that
	// receives an access token of a user can then act as this user here.
	AnyAudience bool

	// GroupsClaim is the claim that lists the groups of a user, such as
	// eduperson_entitlement or groups. If a JWT does not have it, the userinfo
	// endpoint is asked.
	GroupsClaim string

	// AllowedGroups are the groups whose members may log in. Membership is checked
	// at each log-in. Empty: all users of the issuer may.
	AllowedGroups []string

	// UsernameClaim is the claim with the user name of a new user, such as
	// preferred_username. A user whose claim is not a valid user name or taken is
	// created without one. Users are never found by their name. "": new users have
	// no user name. Set it only if the users cannot choose the claim freely:
	// administrators tell users apart by this name.
	UsernameClaim string

	// MaxUsers is the number of users in the store from which on no users are
	// created. It is counted at most once a minute by each process. 0:
	// [DefaultMaxUsers]; negative: no users are created.
	MaxUsers int

	// Timeout bounds each log-in, and each exchange with the issuer. 0:
	// [DefaultTimeout].
	Timeout time.Duration

	// Transport sends the requests to the issuer, and verifies its certificate.
	// nil: a clone of [http.DefaultTransport].
	Transport http.RoundTripper

	// Now returns the current time. nil: [time.Now].
	Now func() time.Time

	// Logger receives warnings about the issuer, and at debug level the reason for
	// which a token is refused. nil: [slog.Default].
	Logger *slog.Logger
}

// withDefaults returns the options with their defaults, or an error that says
// which option is wrong.
func (o Options) withDefaults() (Options, error) {
	if err := checkURL(o.Issuer); err != nil {
		return o, fmt.Errorf("the option Issuer: %w", err)
	}
	if err := checkPrefix(o.Prefix); err != nil {
		return o, fmt.Errorf("the option Prefix: %w", err)
	}
	switch {
	case len(o.Audiences) == 0 && !o.AnyAudience:
		return o, errors.New("the option Audiences must have the name of this service at the issuer, unless AnyAudience is set")
	case len(o.Audiences) > 0 && o.AnyAudience:
		return o, errors.New("the option AnyAudience cannot be set together with Audiences")
	case slices.Contains(o.Audiences, ""):
		return o, errors.New("the option Audiences has an empty audience")
	case slices.Contains(o.AllowedGroups, ""):
		return o, errors.New("the option AllowedGroups has an empty group")
	case (o.GroupsClaim == "") != (len(o.AllowedGroups) == 0):
		return o, errors.New("the option GroupsClaim must be given together with AllowedGroups")
	case o.Timeout < 0:
		return o, errors.New("the option Timeout must not be negative")
	}
	o.Audiences, o.AllowedGroups = slices.Clone(o.Audiences), slices.Clone(o.AllowedGroups)
	o.MaxUsers, o.Timeout = cmp.Or(o.MaxUsers, DefaultMaxUsers), cmp.Or(o.Timeout, DefaultTimeout)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxResponseHeaderBytes = 64 << 10
		o.Transport = transport
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, nil
}

// checkURL checks the URL of the issuer, or of one of its endpoints.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("%.200q is not a URL such as https://login.example.org", text)
	}
	address, _ := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || !address.IsLoopback() && u.Hostname() != "localhost") {
		return fmt.Errorf("%.200q must begin with https://", text)
	}
	return nil
}

func checkPrefix(prefix string) error {
	last := len(prefix) - 1
	if last < 1 || strings.ContainsFunc(prefix, func(r rune) bool { return r <= ' ' || r > '~' || r == ',' || r == '"' }) {
		return fmt.Errorf("%.60q is not a prefix such as \"egi:\"", prefix)
	}
	if end := rune(prefix[last]); unicode.IsLetter(end) || unicode.IsDigit(end) || strings.ContainsRune("-_+/=", end) {
		return fmt.Errorf("%.60q ends in a character that tokens contain: it must end in another, such as \"egi:\"", prefix)
	}
	return nil
}
