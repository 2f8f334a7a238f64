package main

import (
	"net/netip"
	"slices"
	"time"

	"github.com/superfly/macaroon" // another library with typed caveats
)

// superflyPeer returns a peer with the macaroons of Fly.io.
func superflyPeer(c claims, now func() time.Time) peer {
	records := c.records()
	return peer{
		name: "superfly",
		mint: func(c claims) (string, error) {
			m, err := macaroon.New([]byte(c.id), c.domain, macaroon.SigningKey(c.secret))
			if err != nil {
				return "", err
			}
			networks := make(networkCaveat, len(c.networks))
			for i, n := range c.networks {
				networks[i] = n.String()
			}
			through := interfaceCaveat(c.through)
			// In that library the validity window includes its end.
			window := macaroon.ValidityWindow{NotAfter: c.expires.Unix() - 1}
			if err := m.Add(&window, &networks, &through); err != nil {
				return "", err
			}
			binary, err := m.Encode()
			if err != nil {
				return "", err
			}
			return macaroon.ToAuthorizationHeader(binary), nil
		},
		verify: func(text string, u use) (string, error) {
			tokens, err := macaroon.Parse(text)
			if err != nil {
				return "", err
			}
			m, err := macaroon.Decode(tokens[0])
			if err != nil {
				return "", err
			}
			r, ok := records[string(m.Nonce.KID)]
			if !ok {
				return "", errUnknownToken
			}
			caveats, err := m.Verify(r.secret, nil, nil)
			if err != nil {
				return "", err
			}
			if err := caveats.Validate(&access{u, now()}); err != nil {
				return "", err
			}
			if !r.active {
				return "", errForbidden
			}
			return r.user, nil
		},
	}
}

// access is a request in the form of that library.
type access struct {
	use
	at time.Time
}

func (a *access) Now() time.Time { return a.at }
func (*access) Validate() error  { return nil }

// The caveats that an application adds.
type (
	networkCaveat   []string
	interfaceCaveat string
)

func init() {
	macaroon.RegisterCaveatType(new(networkCaveat))
	macaroon.RegisterCaveatType(new(interfaceCaveat))
}

func (*networkCaveat) CaveatType() macaroon.CaveatType   { return macaroon.CavMinUserDefined }
func (*networkCaveat) Name() string                      { return "Network" }
func (*interfaceCaveat) CaveatType() macaroon.CaveatType { return macaroon.CavMinUserDefined + 1 }
func (*interfaceCaveat) Name() string                    { return "Interface" }

func (c *networkCaveat) Prohibits(a macaroon.Access) error {
	request, ok := a.(*access)
	if ok && slices.ContainsFunc(*c, func(text string) bool {
		network, err := netip.ParsePrefix(text)
		return err == nil && network.Contains(request.from)
	}) {
		return nil
	}
	return errForbidden
}

func (c *interfaceCaveat) Prohibits(a macaroon.Access) error {
	if request, ok := a.(*access); ok && string(*c) == request.through {
		return nil
	}
	return errForbidden
}
