package main

import (
	"net/netip"
	"time"

	"github.com/onezone-go/onezone/caveat"
)

// requestFlags are what is known of the use of a token.
type requestFlags struct {
	ip        netip.Addr
	iface     caveat.Interface
	service   caveat.Service
	consumer  caveat.Subject
	session   string
	now       time.Time
	allowData bool
	identity  bool
}

func (r *requestFlags) declare(f *flags) {
	value(f, &r.ip, "ip", "ADDRESS", "the address of the client, IPv4 or IPv6", netip.ParseAddr)
	value(f, &r.iface, "interface", "NAME", "the interface that it came through: rest, oneclient or graphsync", parseInterface)
	value(f, &r.service, "service", "SERVICE", "the service that received the token: ozw-onezone, opw-ID, ozp-onezone or opp-ID", parseService)
	value(f, &r.consumer, "consumer", "SUBJECT", "who uses the token: usr-ID, prv-ID or nobody", parseConsumer)
	value(f, &r.session, "session", "ID", "the session that the client is in; without the flag it is in none", parseSession)
	declareNow(f, &r.now)
	f.BoolVar(&r.allowData, "allow-data", false, "accept data caveats, which the caller then enforces")
	f.BoolVar(&r.identity, "identity", false, "the token is to prove an identity, not to authorise")
}

// request returns what the caveats are checked against. There is neither a group
// checker nor a geo resolver: what asks for them is refused.
func (r *requestFlags) request() caveat.Request {
	return caveat.Request{
		Now: r.now,
		// Masks match IPv4 addresses only, and ::ffff:10.0.0.1 is one.
		IP:            r.ip.Unmap(),
		Interface:     r.iface,
		Service:       r.service,
		Consumer:      r.consumer,
		Session:       caveat.InSession(r.session),
		DataAccess:    r.allowData,
		ProveIdentity: r.identity,
	}
}

func parseInterface(name string) (caveat.Interface, error) {
	i, err := caveat.ParseInterface(name)
	if err != nil {
		return 0, errUnfit
	}
	return i, nil
}

// isOne reports whether the id is that of somebody. An empty one, which a script
// may have lost, would satisfy a caveat for everybody.
func isOne(id string) bool { return id != "" && id != "*" }

func parseService(text string) (caveat.Service, error) {
	s, err := caveat.ParseService(text)
	if err == nil && !isOne(s.ID) {
		err = errUnfit
	}
	return s, err
}

// parseConsumer refuses groups, which use no tokens.
func parseConsumer(text string) (caveat.Subject, error) {
	s, err := caveat.ParseSubject(text)
	if err == nil && (s.Type == caveat.SubjectGroup || s != caveat.Nobody() && !isOne(s.ID)) {
		err = errUnfit
	}
	return s, err
}

// parseSession refuses the empty id, which would be no session: a script that lost
// the id must not verify as one that has none.
func parseSession(id string) (string, error) {
	if id == "" {
		return "", errUnfit
	}
	return id, nil
}
