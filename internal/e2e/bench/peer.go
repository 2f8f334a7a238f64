package main

import "time"

// peer is one way to do the job: a token is minted as text; the text comes back
// with a request, and out comes the user that it speaks for.
type peer struct {
	name   string
	mint   func(claims) (string, error)
	verify func(text string, u use) (user string, err error)
}

// peers returns the ways that are compared, each as a service that has issued a
// token with the claims. The first is this library.
func peers(c claims, now func() time.Time) []peer {
	return []peer{onezonePeer(c, now), macaroonV2Peer(c, now), jwtPeer(c, now), superflyPeer(c, now)}
}
