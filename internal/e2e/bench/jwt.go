package main

import (
	"net/netip"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5" // the usual alternative to macaroons
)

// jwtClaims holds the claims of a JSON Web Token.
type jwtClaims struct {
	jwt.RegisteredClaims
	Networks  []netip.Prefix `json:"ip"`
	Interface string         `json:"interface"`
}

// jwtPeer returns a peer with JSON Web Tokens signed with HMAC-SHA256.
func jwtPeer(c claims, now func() time.Time) peer {
	records := c.records()
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired(), jwt.WithTimeFunc(now),
	)
	return peer{
		name: "jwt",
		mint: func(c claims) (string, error) {
			return jwt.NewWithClaims(jwt.SigningMethodHS256, jwtClaims{
				RegisteredClaims: jwt.RegisteredClaims{ID: c.id, Subject: c.user, ExpiresAt: jwt.NewNumericDate(c.expires)},
				Networks:         c.networks,
				Interface:        c.through,
			}).SignedString([]byte(c.secret))
		},
		verify: func(text string, u use) (string, error) {
			var claims jwtClaims
			var r record
			_, err := parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) {
				var ok bool
				if r, ok = records[claims.ID]; !ok {
					return nil, errUnknownToken
				}
				return r.secret, nil
			})
			if err != nil {
				return "", err
			}
			inside := slices.ContainsFunc(claims.Networks, func(n netip.Prefix) bool { return n.Contains(u.from) })
			if !inside || claims.Interface != u.through || !r.active || r.user != claims.Subject {
				return "", errForbidden
			}
			return r.user, nil
		},
	}
}
