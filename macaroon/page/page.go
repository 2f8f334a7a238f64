package page

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// Options changes the defaults of [New].
type Options struct {
	// API is the path of the token API, relative to the page. Default: that of
	// package rest, beside the page.
	API string
	// Authenticate identifies the clients that log in. Default:
	// rest.Authenticate(authority). If the API has options, give it the same.
	Authenticate func(http.Handler) http.Handler
	// IdentityProvider is the log-in without a password. Default: none.
	IdentityProvider *IdentityProvider
	// WithoutPasswords leaves out the log-in with a password.
	WithoutPasswords bool
}

// IdentityProvider is a log-in at an identity provider.
type IdentityProvider struct {
	Name string // for people
	Path string // of the handler that begins the log-in, relative to the page
}

// New returns the handler of the page, for the paths / and /page/. Requests for
// other paths are answered with 404. The error is badData {key "authority"} if a
// is nil.
func New(a *macaroon.Authority, o Options) (http.Handler, error) {
	if a == nil {
		return nil, errors.BadDataHint("authority", "the page needs an authority")
	}
	if o.Authenticate == nil {
		o.Authenticate = rest.Authenticate(a)
	}
	h := handler{
		"/":                   {http.MethodGet: served("index.html")},
		"/page/settings.json": {http.MethodGet: settings(o)},
		"/page/log_in":        {http.MethodPost: o.Authenticate(logIn{a})},
	}
	for name := range files() {
		if name != "index.html" {
			h["/page/"+name] = map[string]http.Handler{http.MethodGet: served(name)}
		}
	}
	return h, nil
}

// handler has the handlers by path and method. It is no http.ServeMux, which
// would redirect a path that is not clean together with its credentials.
type handler map[string]map[string]http.Handler

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	confine(w.Header())
	methods := h[r.URL.EscapedPath()]
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	switch {
	case methods == nil:
		w.WriteHeader(http.StatusNotFound)
	case methods[method] == nil:
		allow := "POST"
		if methods[http.MethodGet] != nil {
			allow = "GET, HEAD"
		}
		w.Header().Set("Allow", allow)
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		r.Pattern = r.URL.EscapedPath() // for access logs
		methods[method].ServeHTTP(w, r)
	}
}

// policy is the Content-Security-Policy.
var policy = strings.Join([]string{
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
	"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	"require-trusted-types-for 'script'", "trusted-types 'none'",
}, "; ")

// confine sets the headers that confine the page.
func confine(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// settings returns the handler of what the page must know about the service.
func settings(o Options) http.Handler {
	type provider struct {
		Name string `json:"name"`
		Path string `json:"path"`
	}
	s := struct {
		API              string       `json:"api"`
		Passwords        bool         `json:"passwords"`
		IdentityProvider *provider    `json:"identityProvider"`
		Invitations      []invitation `json:"invitations"`
	}{
		API: cmp.Or(o.API, strings.TrimPrefix(rest.Prefix, "/")), Passwords: !o.WithoutPasswords,
		IdentityProvider: (*provider)(o.IdentityProvider), Invitations: invitations(),
	}
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts always marshal
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(data)
	})
}

// logIn exchanges the credentials of a client for a log-in token.
type logIn struct{ authority *macaroon.Authority }

// ServeHTTP implements [http.Handler]. Tokens other than log-in tokens are
// answered with 403 forbidden: whoever found one could log in for hours.
func (l logIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	client, _ := rest.ClientFrom(r.Context())
	since := l.authority.Now()
	if client.IsNobody() {
		rest.WriteError(w, errors.Unauthorized(nil))
		return
	}
	if client.Token != nil {
		var ok bool
		if since, ok = client.Token.LogIn(); !ok {
			rest.WriteError(w, errors.Forbidden("a token is not a log-in: log in with a password or an identity provider"))
			return
		}
	}
	token, err := l.authority.IssueLogIn(r.Context(), client.Subject, since)
	if err != nil {
		rest.WriteError(w, err)
		return
	}
	until, _ := token.Expiry()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct {
		Token string `json:"token"`
		TTL   int64  `json:"ttl"` // seconds
	}{token.String(), until - l.authority.Now().Unix()})
}
