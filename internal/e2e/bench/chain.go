package main

import (
	"crypto/sha256"
	"crypto/subtle"
)

// chain is the minimum work of a verification: the HMAC-SHA256 links (RFC 2104)
// of a parsed token, from its secret to its signature. It checks no caveats and
// looks nothing up.
type chain struct {
	secret     string
	identifier string
	caveats    []string
	signature  []byte
}

// chainOf returns the chain of the token with the claims.
func chainOf(c claims) (*chain, error) {
	m, err := c.macaroonV2()
	if err != nil {
		return nil, err
	}
	return &chain{c.secret, c.identifier(), c.conditions(), m.Signature()}, nil
}

// verify reports whether the chain ends in the signature. It allocates nothing,
// and computes every hash in one call.
func (c *chain) verify() bool {
	var l links
	l.init()
	copy(l.key[:], "macaroons-key-generator")
	l.add(c.secret)
	l.add(c.identifier)
	for _, text := range c.caveats {
		l.add(text)
	}
	return subtle.ConstantTimeCompare(l.key[:], c.signature) == 1
}

const longestMessage = 256

type links struct {
	key   [sha256.Size]byte
	inner [sha256.BlockSize + longestMessage]byte
	outer [sha256.BlockSize + sha256.Size]byte
}

// init writes the part of the pads after a short key.
func (l *links) init() {
	for i := sha256.Size; i < sha256.BlockSize; i++ {
		l.inner[i], l.outer[i] = 0x36, 0x5c
	}
}

// add replaces the key by the HMAC of the message under it.
func (l *links) add(message string) {
	for i, k := range l.key {
		l.inner[i], l.outer[i] = k^0x36, k^0x5c
	}
	n := copy(l.inner[sha256.BlockSize:], message)
	digest := sha256.Sum256(l.inner[:sha256.BlockSize+n])
	copy(l.outer[sha256.BlockSize:], digest[:])
	l.key = sha256.Sum256(l.outer[:])
}
