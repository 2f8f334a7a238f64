package gate

import (
	"net/http"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// The challenges of 401 responses (RFC 6750, section 3). A request without a
// token gets no error code.
const (
	noToken           = `Bearer realm="onezone"`
	invalidToken      = noToken + `, error="invalid_token"`
	insufficientScope = noToken + `, error="insufficient_scope"`
)

// retryAfter is the Retry-After of 503 responses, in seconds, unless the
// verifier knows better.
const retryAfter = "5"

// response adds the headers that belong to its status.
type response struct {
	http.ResponseWriter
	challenge string
	status    int
}

// WriteHeader implements [http.ResponseWriter].
func (r *response) WriteHeader(status int) {
	r.status = status
	switch h := r.Header(); {
	case status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", r.challenge)
	case status == http.StatusServiceUnavailable && h.Get("Retry-After") == "":
		h.Set("Retry-After", retryAfter)
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap serves [http.ResponseController].
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// challengeScope returns the handler behind the authentication: it sets what a
// 401 response means there.
func challengeScope(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		if res, ok := w.(*response); ok {
			res.challenge = insufficientScope
			if client.IsNobody() {
				res.challenge = noToken
			}
		}
		next.ServeHTTP(w, r)
	})
}

// require returns a handler that enforces the api caveats of the token.
func (o *operation) require(next http.Handler) http.Handler {
	return rest.Require(o.service, o.operation, o.gri)(next)
}

// decide returns the handler of a rule, which answers authenticated requests.
func decide(rule *rule) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		switch {
		case client.IsNobody():
			rest.WriteError(w, errors.Unauthorized(nil))
			return
		case !rule.allows(client.Subject):
			rest.WriteError(w, errors.Forbidden("the rule of this request does not list the client"))
			return
		}
		if rule.file != "" {
			if err := client.CheckFile(rule.fileOf(r.PathValue), rule.access); errors.Is(err, errors.IDBadValueFilePath) {
				rest.WriteError(w, errors.Forbidden("the path does not name a file"))
				return
			} else if err != nil {
				rest.WriteError(w, err)
				return
			}
		}
		pass(w, client)
	}
}

// passAnonymous answers a request that everybody may make.
func passAnonymous(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	pass(w, rest.Client{})
}

// pass answers 200 with the identity of the client. All identity headers are
// set, so that the proxy replaces those of the client.
func pass(w http.ResponseWriter, client rest.Client) {
	var user, subject, tokenID string
	if !client.IsNobody() {
		subject = client.Subject.String()
	}
	if client.Subject.Type == caveat.SubjectUser {
		user = client.Subject.ID
	}
	if client.Token != nil {
		tokenID = client.Token.TokenID
	}
	if !fitsHeader(subject) || !fitsHeader(tokenID) {
		rest.WriteError(w, errors.Forbidden("the identity of the client has characters that a header cannot carry"))
		return
	}
	h, values := w.Header(), []string{user, subject, tokenID}
	delete(h, "X-Request-Id") // is for answers that a client sees
	h[headerUser], h[headerSubject], h[headerTokenID] = values[:1:1], values[1:2:2], values[2:]
	w.WriteHeader(http.StatusOK)
}

// fitsHeader reports whether a header carries the text unchanged. Spaces at the
// ends would be lost, and control characters are not allowed.
func fitsHeader(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c == 0x7f })
}
