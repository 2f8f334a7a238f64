package caveat

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// Request describes the use of a token that is being verified. All fields are
// optional; a caveat about a missing one does not hold.
type Request struct {
	// Now is the time of the verification. If it is zero, no time caveat holds.
	Now time.Time
	// Leeway is how long a time caveat still holds after its end, for clocks that
	// differ. A negative leeway counts as 0.
	Leeway time.Duration
	// IP is the address of the client. The caller must unmap IPv4-mapped IPv6
	// addresses: all masks are IPv4 and match only IPv4 addresses.
	IP netip.Addr
	// Interface is the interface that received the token.
	Interface Interface
	// Service is the service that received the token.
	Service Service
	// Consumer is the party that uses the token. The zero Subject is an unknown
	// consumer, unlike [Nobody].
	Consumer Subject
	// ServiceToken is the token with which a Oneprovider proves that it is the
	// service. If it is not empty, the verifier verifies it and replaces Service.
	ServiceToken PartyToken
	// ConsumerToken is the token with which the consumer proves its identity. If
	// it is not empty, the verifier verifies it and replaces Consumer.
	ConsumerToken PartyToken
	// Discharges are the texts of the discharges of the token, bound to it, if it
	// has third-party caveats. Verifiers refuse discharges that it does not need.
	Discharges Discharges
	// Session is the session of the client; the zero Session means that it has none.
	Session Session
	// DataAccess allows data.* caveats. Without it they do not hold, because
	// the caller does not enforce them.
	DataAccess bool
	// ProveIdentity is set if the token must prove an identity instead of
	// authorizing an operation (the scope "identityToken").
	ProveIdentity bool
	// Ignored lists types that count as satisfied if the token's type supports
	// them.
	Ignored []Type
	// Vocabulary is the language in which the caveats are parsed; nil is the
	// Onezone language.
	Vocabulary *Vocabulary
	// Groups decides group entries of consumer caveats.
	Groups GroupChecker
	// Geo looks up addresses for asn, geo.country and geo.region caveats.
	Geo GeoResolver
}

// PartyToken is the text of a token that proves who takes part in a request. It
// is a credential, and prints as [redacted]. The functions of this package do
// not verify it: a verifier must, before it calls them.
type PartyToken string

// Format prints "[redacted]" for every verb.
func (PartyToken) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// MarshalText returns "[redacted]".
func (PartyToken) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Discharges are texts of discharges. They are credentials, and print as
// [redacted]. The functions of this package do not verify them: a verifier must,
// before it calls them.
type Discharges []string

// Format prints "[redacted]" for every verb.
func (Discharges) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// MarshalText returns "[redacted]".
func (Discharges) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// GroupChecker decides group membership.
type GroupChecker interface {
	// IsMember reports whether the consumer is an effective member of the
	// group. The group id "*" asks whether it belongs to any group. Only users
	// are members of groups; the answer for other consumers is false. An error
	// refuses the caveat.
	IsMember(ctx context.Context, consumer Subject, group string) (bool, error)
}

// GeoResolver looks up where an address comes from. It must return an error for
// an address that it does not know, so that no caveat about that address holds.
// Package github.com/onezone-go/onezone/caveat/geoip has one for MaxMind files.
type GeoResolver interface {
	// ASN returns the number of the autonomous system that announces the address.
	ASN(ctx context.Context, ip netip.Addr) (uint32, error)
	// Place returns the country and continent of the address.
	Place(ctx context.Context, ip netip.Addr) (Place, error)
}

// Place is the geographic entry of an address, in the codes of the MaxMind
// GeoLite2 country database.
type Place struct {
	Country   string // ISO 3166-1 alpha-2 code in upper case: "PL"
	Continent string // two-letter code: AF, AN, AS, EU, NA, OC or SA
	EU        bool   // whether the country is a member of the European Union
}

// Session is the session of a client, or any session. The zero value is a
// client without a session.
type Session struct {
	any bool
	id  string
}

// AnySession returns a Session that accepts every token, bound to a session or
// not.
func AnySession() Session { return Session{any: true} }

// InSession returns the Session of a client in the session with the given id.
func InSession(id string) Session { return Session{id: id} }

// Accepts reports whether the client may use a token that is bound to
// tokenSession ("" if to none). A client in a session may use only tokens of
// that session.
func (s Session) Accepts(tokenSession string) bool { return s.any || s.id == tokenSession }
