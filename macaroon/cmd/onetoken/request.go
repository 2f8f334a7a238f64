package main

import (
	"net/netip"
	"time"

	"github.com/onezone-go/onezone/caveat"
)

// requestFlags describe the use of a token.
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
	value(f, &r.iface, "interface", "NAME",
		"the interface that received the token: rest, oneclient or graphsync", caveat.ParseInterface)
	f.complete("interface", "rest", "oneclient", "graphsync")
	value(f, &r.service, "service", "SERVICE",
		"the service that received the token: ozw-onezone, opw-ID, ozp-onezone or opp-ID", parseService)
	value(f, &r.consumer, "consumer", "SUBJECT", "who uses the token: usr-ID, prv-ID or nobody", parseConsumer)
	value(f, &r.session, "session", "ID", "the session of the client; default no session", parseSession)
	declareNow(f, &r.now)
	f.toggle(&r.allowData, "allow-data", "accept data caveats, which the caller then enforces")
	f.toggle(&r.identity, "identity", "the token must prove an identity, not authorize an operation")
}

// request returns the request for which the caveats are decided. It has no
// group checker and no geo resolver, so caveats that need them are refused.
func (r *requestFlags) request() caveat.Request {
	return caveat.Request{
		Now: r.now,
		// Masks match IPv4 addresses only; ::ffff:10.0.0.1 counts as IPv4.
		IP:            r.ip.Unmap(),
		Interface:     r.iface,
		Service:       r.service,
		Consumer:      r.consumer,
		Session:       caveat.InSession(r.session),
		DataAccess:    r.allowData,
		ProveIdentity: r.identity,
	}
}

// isSingleID reports whether the id identifies one party. An empty id, as from
// an unset variable of a script, would satisfy caveats for everybody.
func isSingleID(id string) bool { return id != "" && id != "*" }

func parseService(text string) (caveat.Service, error) {
	s, err := caveat.ParseService(text)
	if err == nil && !isSingleID(s.ID) {
		err = errBadValue
	}
	return s, err
}

// parseConsumer rejects groups, because groups do not use tokens.
func parseConsumer(text string) (caveat.Subject, error) {
	s, err := caveat.ParseSubject(text)
	if err == nil && (s.Type == caveat.SubjectGroup || s != caveat.Nobody() && !isSingleID(s.ID)) {
		err = errBadValue
	}
	return s, err
}

// parseSession rejects the empty id, which would mean no session: a script with
// an unset variable must not verify like a client without a session.
func parseSession(id string) (string, error) {
	if id == "" {
		return "", errBadValue
	}
	return id, nil
}
