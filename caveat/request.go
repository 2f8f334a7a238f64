package caveat

import (
	"context"
	"net/netip"
	"time"
)

// Request is what is known about the use of a token when it is verified. Every
// field may be left zero; a caveat that asks about a missing one does not hold.
type Request struct {
	// Now is the moment of the verification. Zero: there is no clock, and no
	// time caveat holds.
	Now time.Time
	// IP is the address of the client. IPv4 masks, and there are no others, match
	// IPv4 addresses only, never an IPv4-mapped IPv6 address: Unmap it first.
	IP netip.Addr
	// Interface is the one through which the token came.
	Interface Interface
	// Service is the service that received the token.
	Service Service
	// Consumer is the party that uses the token. The zero Subject is an unknown
	// consumer, which is not the same as [Nobody].
	Consumer Subject
	// Session is the session that the client is in; zero: none.
	Session Session
	// DataAccess allows data.* caveats. Without it they do not hold, because
	// the caller does not enforce them.
	DataAccess bool
	// ProveIdentity is set where the token is to prove an identity rather than
	// to authorise an operation (the scope "identityToken").
	ProveIdentity bool
	// Ignored lists types that count as satisfied, provided that the token's
	// type supports them at all.
	Ignored []Type
	// Vocabulary is the language in which the caveats are read; nil: that of
	// Onezone.
	Vocabulary *Vocabulary
	// Groups decides group entries of consumer caveats.
	Groups GroupChecker
	// Geo looks up addresses for asn, geo.country and geo.region caveats.
	Geo GeoResolver
}

// GroupChecker knows who belongs to which group.
type GroupChecker interface {
	// IsMember reports whether the consumer is an effective member of the
	// group. The group id "*" asks whether it belongs to any group at all.
	// Onezone has no members other than users; for another kind of consumer the
	// answer is no. An error refuses the caveat.
	IsMember(ctx context.Context, consumer Subject, group string) (bool, error)
}

// GeoResolver looks up where an address comes from. A missing mapping is an
// error: a caveat about an address that nothing is known of does not hold.
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

// Session is the session expectation of a request. The zero value is a client
// without a session.
type Session struct {
	any bool
	id  string
}

// AnySession accepts tokens of every session and of none.
func AnySession() Session { return Session{any: true} }

// InSession is a client in the session with the given id.
func InSession(id string) Session { return Session{id: id} }

// Accepts reports whether a token bound to the session tokenSession ("" where
// it is bound to none) may be used. A client in a session may only use tokens
// of that very session.
func (s Session) Accepts(tokenSession string) bool { return s.any || s.id == tokenSession }
