package main

import "time"

// peer is one implementation of the job. It mints a token as text, and verifies
// such a text in a request and returns its user.
type peer struct {
	name   string
	mint   func(claims) (string, error)
	verify func(text string, u use) (user string, err error)
}

// peers returns the compared implementations. Each has issued a token with the
// claims. The first is this library.
func peers(c claims, now func() time.Time) []peer {
	return []peer{onezonePeer(c, now), macaroonV2Peer(c, now), jwtPeer(c, now), superflyPeer(c, now)}
}
