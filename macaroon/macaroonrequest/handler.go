package macaroonrequest

import (
	"cmp"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// ContentType is the media type of requests.
const ContentType = "application/macaroon-request"

// DefaultValidity is the default lifetime of tokens.
const DefaultValidity = time.Hour

// Options changes the defaults of [New].
type Options struct {
	// Authority issues temporary tokens to clients that authenticated without a
	// token, and confines the tokens of the others under its limits. Default:
	// only clients with a token get one.
	Authority *macaroon.Authority
	// Origin is the origin of the service, such as "https://files.example.com",
	// for the member "uri" of answers. Default: that of the request.
	Origin string
	// Validity is the lifetime of a token whose request names no time. Default:
	// [DefaultValidity].
	Validity time.Duration
	// Clock returns the current time. Default: that of the authority, or
	// [time.Now].
	Clock func() time.Time
}

// New returns the handler. It takes the path of a file from the path of the
// request; [http.StripPrefix] removes what precedes the space. Without
// rest.Authenticate in front, it refuses every request.
//
// The answer is 200 with the JSON members "macaroon", "expires_in" (seconds),
// and "uri" with the members "target" and "base". It has no URLs with the token
// inside: they would appear in logs.
//
// Errors, in JSON as the token API writes them:
//
//   - 400 badData for what is not understood or cannot be expressed, with the
//     reason, and malformedData for a body that is not strict JSON;
//   - 400 with the errors of [macaroon.Authority.Confine], or of
//     [macaroon.Authority.Issue], such as tokenTimeCaveatRequired {maxTtl} for
//     a temporary token that should live too long;
//   - 401 unauthorized for a client without credentials;
//   - 403 forbidden for a client without a token if there is no authority;
//   - 413 limitReached for a body over 16 KiB.
//
// Other methods than POST and OPTIONS are answered with 405, and other media
// types with 415.
func New(o Options) http.Handler {
	if o.Clock == nil {
		o.Clock = time.Now
		if o.Authority != nil {
			o.Clock = o.Authority.Now
		}
	}
	o.Validity = cmp.Or(o.Validity, DefaultValidity)
	return handler{o}
}

type handler struct{ Options }

// ServeHTTP implements [http.Handler].
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		h.post(w, r)
	case http.MethodOptions:
		w.Header().Set("Allow", allow)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", allow)
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

const allow = "OPTIONS, POST"

// maxBody is the largest request body, in bytes.
const maxBody = 16 << 10

func (h handler) post(w http.ResponseWriter, r *http.Request) {
	if client, _ := rest.ClientFrom(r.Context()); client.IsNobody() {
		rest.WriteError(w, errors.Unauthorized(nil))
		return
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != ContentType {
		w.Header().Set("Accept-Post", ContentType)
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		writeJSON(w, http.StatusRequestEntityTooLarge,
			errors.Envelope{Error: errors.LimitReached(maxBody, "bytes in the body of a request")})
		return
	} else if err != nil { // truncated or badly framed by the client
		rest.WriteError(w, errors.MalformedData())
		return
	}
	token, err := h.token(r, body)
	if err != nil {
		rest.WriteError(w, err)
		return
	}
	until, _ := token.Expiry()
	writeJSON(w, http.StatusOK, map[string]any{
		"macaroon": token.String(), "expires_in": until - h.Clock().Unix(), "uri": h.uri(r),
	})
}

// token returns a token with the caveats that the body asks for.
func (h handler) token(r *http.Request, body []byte) (macaroon.Token, error) {
	cs, err := h.caveats(r.URL, body)
	if err != nil {
		return macaroon.Token{}, err
	}
	client, _ := rest.ClientFrom(r.Context())
	t, ok := rest.AccessToken(r)
	switch {
	case ok && h.Authority == nil:
		return t.Confine(cs...)
	case ok:
		return h.Authority.Confine(r.Context(), t, cs...)
	case h.Authority == nil || client.Token != nil:
		return macaroon.Token{}, errors.Forbidden("this service only confines access tokens: authenticate with one")
	}
	return h.Authority.Issue(r.Context(), macaroon.Grant{Subject: client.Subject, Type: macaroon.AccessToken(), Caveats: cs})
}

// caveats returns the caveats of the new token.
func (h handler) caveats(u *url.URL, body []byte) ([]caveat.Caveat, error) {
	path, err := requestedPath(u)
	if err != nil {
		return nil, err
	}
	wanted := wish{path: path, now: h.Clock()}
	if err := wanted.read(body); err != nil {
		return nil, err
	}
	if len(wanted.times) == 0 {
		wanted.times = []time.Time{wanted.now.Add(h.Validity)}
	}
	return wanted.caveats()
}

// uri returns the URLs of the file and of the service.
func (h handler) uri(r *http.Request) map[string]string {
	origin := h.Origin
	if origin == "" {
		origin = "http://" + r.Host
		if r.TLS != nil {
			origin = "https://" + r.Host
		}
	}
	target := r.URL.EscapedPath()
	if received, err := url.ParseRequestURI(r.RequestURI); err == nil { // with the prefix that was stripped
		target = received.EscapedPath()
	}
	return map[string]string{"target": origin + target, "base": origin + "/"}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
