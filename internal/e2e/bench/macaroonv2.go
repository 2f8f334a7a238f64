package main

import (
	"encoding/base64"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gopkg.in/macaroon.v2" // the usual macaroon library for Go
)

// macaroonV2Peer returns a peer that handles the same tokens, byte for byte,
// with handwritten code on gopkg.in/macaroon.v2.
func macaroonV2Peer(c claims, now func() time.Time) peer {
	records := c.records()
	return peer{
		name: "macaroon.v2",
		mint: mintV2,
		verify: func(text string, u use) (string, error) {
			binary, err := base64.RawURLEncoding.DecodeString(unescape(text))
			if err != nil {
				return "", err
			}
			var m macaroon.Macaroon
			if err := m.UnmarshalBinary(binary); err != nil {
				return "", err
			}
			user, id, err := parseIdentifier(string(m.Id()))
			if err != nil {
				return "", err
			}
			r, ok := records[id]
			if !ok {
				return "", errUnknownToken
			}
			at := now()
			check := func(condition string) error { return checkCondition(condition, u, at) }
			if err := m.Verify(r.secret, check, nil); err != nil {
				return "", err
			}
			if !r.active || r.user != user {
				return "", errForbidden
			}
			return user, nil
		},
	}
}

func mintV2(c claims) (string, error) {
	m, err := c.macaroonV2()
	if err != nil {
		return "", err
	}
	binary, err := m.MarshalBinary()
	if err != nil {
		return "", err
	}
	return escape(base64.RawURLEncoding.EncodeToString(binary)), nil
}

func (c claims) macaroonV2() (*macaroon.Macaroon, error) {
	m, err := macaroon.New([]byte(c.secret), []byte(c.identifier()), c.domain, macaroon.V1)
	if err != nil {
		return nil, err
	}
	for _, condition := range c.conditions() {
		if err := m.AddFirstPartyCaveat([]byte(condition)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// identifier returns the text of the identifier, the first signed part.
func (c claims) identifier() string { return "2/nmd/usr-" + c.user + "/act/" + c.id }

// conditions returns the texts of the caveats.
func (c claims) conditions() []string {
	networks := make([]string, len(c.networks))
	for i, n := range c.networks {
		networks[i] = n.String()
	}
	return []string{
		"time < " + strconv.FormatInt(c.expires.Unix(), 10),
		"ip = " + strings.Join(networks, "|"),
		"interface = " + c.through,
	}
}

// escape encodes base64url as letters and digits: '0' becomes "00", '_' "01"
// and '-' "02".
func escape(s string) string {
	b := make([]byte, 0, len(s)+len(s)/8)
	for i := range len(s) {
		switch s[i] {
		case '0':
			b = append(b, '0', '0')
		case '_':
			b = append(b, '0', '1')
		case '-':
			b = append(b, '0', '2')
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

// unescape reverses escape. It does not validate the text; the decoder and the
// signature check reject other texts.
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '0' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		switch s[i] {
		case '1':
			b = append(b, '_')
		case '2':
			b = append(b, '-')
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

// parseIdentifier parses "2/nmd/usr-USER/act/ID".
func parseIdentifier(s string) (user, id string, err error) {
	rest, ok1 := strings.CutPrefix(s, "2/nmd/usr-")
	user, rest, ok2 := strings.Cut(rest, "/")
	id, ok3 := strings.CutPrefix(rest, "act/")
	if !ok1 || !ok2 || !ok3 || user == "" || id == "" || strings.Contains(id, "/") {
		return "", "", errors.New("not the identifier of a user's access token")
	}
	return user, id, nil
}

// checkCondition checks the text of one caveat.
func checkCondition(condition string, u use, at time.Time) error {
	kind, rest, _ := strings.Cut(condition, " ")
	holds := false
	switch kind {
	case "time":
		digits, ok := strings.CutPrefix(rest, "< ")
		until, err := strconv.ParseInt(digits, 10, 64)
		if !ok || err != nil {
			return errors.New("malformed time caveat")
		}
		holds = at.Unix() < until
	case "ip":
		list, ok := strings.CutPrefix(rest, "= ")
		if !ok {
			return errors.New("malformed ip caveat")
		}
		for entry := range strings.SplitSeq(list, "|") {
			network, err := netip.ParsePrefix(entry)
			if err != nil {
				return err
			}
			holds = holds || network.Contains(u.from)
		}
	case "interface":
		name, ok := strings.CutPrefix(rest, "= ")
		holds = ok && name == u.through
	default:
		return errors.New("unknown caveat")
	}
	if !holds {
		return errForbidden
	}
	return nil
}
