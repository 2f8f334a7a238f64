package rest

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// Headers that carry credentials, in the canonical form of package http.
const (
	headerToken         = "X-Auth-Token"
	headerMacaroon      = "Macaroon"
	headerAuthorization = "Authorization"
	headerService       = "X-Onedata-Service-Token"
	headerConsumer      = "X-Onedata-Consumer-Token"

	bearerScheme = "Bearer"
	basicScheme  = "Basic"
)

// authenticate returns the client of a request; its address is that of the
// request's actor. The error is unauthorized {authError} for bad credentials
// and forbidden for a password that a page of another site sent. Other errors
// are operational.
func (c *config) authenticate(r *http.Request) (Client, error) {
	client := Client{Subject: caveat.Nobody(), PeerIP: macaroon.ActorFrom(r.Context()).Address}
	var err error
	if text, ok := accessToken(r.Header); ok {
		client, err = c.byToken(r, text, client.PeerIP)
	} else if encoded, ok := authorization(r.Header, basicScheme); ok {
		if err := c.checkSite(r); err != nil {
			return Client{}, c.reportRefused(r, macaroon.ByPassword, err)
		}
		client.method = macaroon.ByPassword
		client.Subject, err = c.byPassword(r, encoded)
	}
	// Only err itself counts: an operational error may have errors of the
	// catalogue in its chain.
	if e, ok := err.(*errors.Error); ok {
		return Client{}, errors.Unauthorized(e)
	}
	return client, err
}

// header returns the value of a header. A repeated header is a list (RFC 9110,
// section 5.3) and never a credential: choosing one of two tokens would be
// unsafe, because a proxy may have checked the other.
func header(h http.Header, name string) (value string, ok bool) {
	switch values := h[name]; len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	}
	return repeated, true
}

// repeated is the value of a repeated header. Its lines are not joined, because
// HTTP/2 can send a line in one byte. No credential contains a comma.
const repeated = ","

// accessToken returns the first access token of the headers. An empty one
// counts, and is bad.
func accessToken(h http.Header) (text string, ok bool) {
	if text, ok = header(h, headerToken); ok {
		return text, true
	}
	if text, ok = authorization(h, bearerScheme); ok {
		return text, true
	}
	return header(h, headerMacaroon)
}

// authorization returns the credentials after the scheme in the header. If they
// are empty, the server has trimmed the space after the scheme. In a repeated
// header, the first line decides the scheme and the credentials are bad.
func authorization(h http.Header, scheme string) (credentials string, ok bool) {
	values := h[headerAuthorization]
	if len(values) == 0 {
		return "", false
	}
	credentials, ok = strings.CutPrefix(values[0], scheme)
	switch {
	case !ok || credentials != "" && credentials[0] != ' ':
		return "", false
	case len(values) > 1:
		return repeated, true
	}
	return strings.TrimPrefix(credentials, " "), true
}

// byToken authenticates with a token of this Onezone or of an identity provider.
func (c *config) byToken(r *http.Request, text string, peer netip.Addr) (Client, error) {
	if c.idp != nil {
		if _, err := c.parse(text); errors.Is(err, errors.IDTokenTooLarge) {
			return Client{}, c.reportRefused(r, macaroon.ByToken, err)
		} else if err != nil {
			return c.byForeignToken(r, text)
		}
	}
	req := caveat.Request{
		IP: peer, Interface: c.iface, Service: c.service, DataAccess: c.dataAccess, Ignored: c.later,
		ServiceToken: c.serviceToken(r.Header), ConsumerToken: partyToken(r.Header, headerConsumer),
		Discharges: c.dischargesOf(r.Header),
	}
	switch {
	case c.service.Type == caveat.OpPanel:
		req.Session = caveat.AnySession()
	case c.sessionOf != nil:
		req.Session = caveat.InSession(c.sessionOf(r))
	}
	verify := c.verifier.VerifyAccess
	if c.identities {
		verify = c.verifier.VerifyIdentity
	}
	auth, err := verify(r.Context(), text, req)
	if err != nil {
		return Client{}, err
	}
	return Client{Subject: auth.Subject, Token: &auth, PeerIP: peer, method: macaroon.ByToken}, nil
}

// maxDischarges limits the list in the header for discharges. Longer lists are bad.
const maxDischarges = 1024

// dischargesOf returns the discharges in the header for them. An empty one counts,
// and is bad.
func (c *config) dischargesOf(h http.Header) (discharges caveat.Discharges) {
	if c.discharges == "" {
		return nil
	}
	for _, line := range h[c.discharges] {
		for text := range strings.SplitSeq(line, ",") {
			if len(discharges) == maxDischarges {
				return caveat.Discharges{repeated}
			}
			discharges = append(discharges, strings.Trim(text, " \t"))
		}
	}
	return discharges
}

// parse parses the text of a token under the limits of the authority.
func (c *config) parse(text string) (macaroon.Token, error) {
	if c.authority == nil {
		return macaroon.Parse(text)
	}
	return c.authority.Parse(text)
}

// serviceToken returns the service token of a client of Onezone. At another
// service, that service is the one that uses the access token: the client could
// otherwise be a Oneprovider with a token that is confined to itself.
func (c *config) serviceToken(h http.Header) caveat.PartyToken {
	if !c.service.IsZero() && c.service.Type != caveat.OzWorker {
		return ""
	}
	return partyToken(h, headerService)
}

// partyToken returns the token in a header. An empty header counts, and is bad.
func partyToken(h http.Header, name string) caveat.PartyToken {
	text, ok := header(h, name)
	if ok && text == "" {
		text = repeated
	}
	return caveat.PartyToken(text)
}

// byForeignToken authenticates with a token of an identity provider. Like the
// original, it does not record the address of the client.
func (c *config) byForeignToken(r *http.Request, text string) (Client, error) {
	user, err := c.idp.Identify(r.Context(), text)
	if err == nil && user.Type != caveat.SubjectUser {
		err = errors.New("the identity provider did not return a user")
	}
	if err == nil {
		return Client{Subject: user, method: macaroon.ByIdentityProvider}, nil
	}
	if e := catalogued(err); e != nil {
		return Client{}, c.reportRefused(r, macaroon.ByIdentityProvider, e)
	}
	return Client{}, errors.InternalServerError(c.report(r, "identity provider failed", "error", err))
}

// maxBasic is the longest Authorization header with Basic credentials, in
// bytes.
const maxBasic = 2 << 10

// byPassword logs a user in with encoded Basic credentials.
func (c *config) byPassword(r *http.Request, encoded string) (caveat.Subject, error) {
	username, password, err := c.readBasic(encoded)
	if err != nil {
		return caveat.Subject{}, c.reportRefused(r, macaroon.ByPassword, err)
	}
	return c.authority.LogIn(r.Context(), username, password)
}

// readBasic decodes Basic credentials. It rejects a text that is too long
// before decoding it.
func (c *config) readBasic(encoded string) (username, password string, err error) {
	if len(basicScheme)+1+len(encoded) > maxBasic {
		return "", "", errors.BasicCredentialsTooLong(maxBasic)
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	username, password, ok := strings.Cut(string(decoded), ":")
	switch {
	case err != nil || !ok:
		return "", "", errors.BadBasicCredentials()
	case c.noBasic || c.authority == nil:
		return "", "", errors.BasicAuthNotSupported()
	}
	return username, password, nil
}

// reportRefused reports credentials that this package refused, not the
// authority, and returns err. Other verifiers have no observer.
func (c *config) reportRefused(r *http.Request, method macaroon.AuthMethod, err error) error {
	if c.authority != nil {
		c.authority.ReportRefused(r.Context(), method, err)
	}
	return err
}

// reportForbidden reports the client's token as refused if err says that its
// caveats do not allow a request, and returns err.
func (c *config) reportForbidden(r *http.Request, err error) error {
	if why, ok := errors.AsType[*errors.Error](errors.Unwrap(err)); ok && errors.Is(err, errors.IDUnauthorized) {
		_ = c.reportRefused(r, macaroon.ByToken, why)
	}
	return err
}
