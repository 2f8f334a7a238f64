package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/onezone-go/onezone/errors"
)

// CallbackPath is the end of the path of [LogInOptions].RedirectURL, relative to
// the page.
const CallbackPath = "page/idp/callback"

// StartPath is the path at which a log-in begins, relative to the page.
const StartPath = "page/idp/start"

// LogInOptions describe this service as a client of the issuer.
type LogInOptions struct {
	ClientID string
	// ClientSecret is "" for a public client.
	ClientSecret string
	// RedirectURL is where the issuer sends the user after the log-in, as it is
	// registered there. It ends with "/" and [CallbackPath].
	RedirectURL string
	// Scopes are requested in addition to openid. Default: profile.
	Scopes []string
}

// check returns an error that says which option is wrong.
func (o LogInOptions) check() error {
	if o.ClientID == "" {
		return errors.New("the option ClientID is missing")
	}
	if err := checkURL(o.RedirectURL); err != nil {
		return fmt.Errorf("the option RedirectURL: %w", err)
	}
	if !strings.HasSuffix(o.RedirectURL, "/"+CallbackPath) {
		return fmt.Errorf("the option RedirectURL: %.200q must end with /%s", o.RedirectURL, CallbackPath)
	}
	return nil
}

// LogIn returns the handler of log-ins with a browser, for the paths [StartPath]
// and [CallbackPath] of package page. It runs the authorization code flow with
// PKCE, state and nonce, and sends the user back to the page with a log-in token
// of the authority, or with the reason why there is none.
//
// A cookie ties the log-in to the browser until the issuer answers. It identifies
// no user. The rules of the Options apply, except for Audiences: the ID token must
// be for ClientID.
//
// LogIn returns an error if an option is wrong.
func (p *Provider) LogIn(o LogInOptions) (http.Handler, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("configuring log-ins at an identity provider: %w", err)
	}
	if o.Scopes == nil {
		o.Scopes = []string{"profile"}
	}
	o.Scopes = append([]string{"openid"}, o.Scopes...)
	return &logIn{p, o, make(chan struct{}, maxQuestions)}, nil
}

type logIn struct {
	*Provider
	client LogInOptions
	slots  chan struct{} // of exchanges at once
}

// ServeHTTP implements [http.Handler].
func (l *logIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet {
		h.Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), l.options.Timeout)
	defer cancel()
	switch {
	case strings.HasSuffix(r.URL.Path, "/"+StartPath):
		l.start(ctx, w, r.URL.Query().Get("nonce"))
	case strings.HasSuffix(r.URL.Path, "/"+CallbackPath):
		l.finish(ctx, w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// begun is what the browser keeps of a log-in in a cookie. Only this browser has
// to know it: PKCE ties the code to the verifier.
type begun struct {
	State    string `json:"s"`
	Nonce    string `json:"n"` // in the ID token
	Verifier string `json:"v"`
	Page     string `json:"p"` // nonce of the page
}

// pageNonce is the form of the nonce of the page.
var pageNonce = regexp.MustCompile(`^[0-9a-f]{16,64}$`)

// logInTime is how long a user may take at the issuer.
const logInTime = 10 * time.Minute

// start sends the user to the issuer.
func (l *logIn) start(ctx context.Context, w http.ResponseWriter, nonce string) {
	if !pageNonce.MatchString(nonce) {
		http.Error(w, "the parameter nonce is missing: begin the log-in on the page", http.StatusBadRequest)
		return
	}
	config, err := l.config(ctx)
	if err != nil {
		l.answer(w, l.reason(ctx, err), nonce)
		return
	}
	b := begun{oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), nonce}
	data, err := json.Marshal(b)
	if err != nil {
		panic(fmt.Errorf("encode a cookie: %w", err)) // texts always marshal
	}
	http.SetCookie(w, l.cookie(base64.RawURLEncoding.EncodeToString(data), logInTime))
	w.Header().Set("Location", config.AuthCodeURL(b.State, oauth2.S256ChallengeOption(b.Verifier), oauth2.SetAuthURLParam("nonce", b.Nonce)))
	w.WriteHeader(http.StatusSeeOther)
}

// config returns the issuer and this service in the form of package oauth2.
func (l *logIn) config(ctx context.Context) (*oauth2.Config, error) {
	m, err := l.issuer.current(ctx)
	if err != nil {
		return nil, err
	}
	for _, address := range []string{m.endpoint.AuthURL, m.endpoint.TokenURL} {
		if err := checkURL(address); err != nil {
			return nil, fmt.Errorf("reading the discovery document of %s: the endpoints of log-ins: %w", l.issuer.url, err)
		}
	}
	endpoint := m.endpoint
	if l.client.ClientSecret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: l.client.ClientID, ClientSecret: l.client.ClientSecret, Endpoint: endpoint,
		RedirectURL: l.client.RedirectURL, Scopes: l.client.Scopes,
	}, nil
}

// cookie returns the cookie of a log-in. A lifetime of 0 removes it.
func (l *logIn) cookie(value string, lifetime time.Duration) *http.Cookie {
	c := &http.Cookie{
		Name: "onezone-log-in", Value: value, Path: "/", MaxAge: int(lifetime / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if strings.HasPrefix(l.client.RedirectURL, "https:") {
		c.Name, c.Secure = "__Host-"+c.Name, true // which no other host can set
	}
	if lifetime == 0 {
		c.MaxAge = -1
	}
	return c
}

// finish takes the answer of the issuer, and sends the user back to the page.
func (l *logIn) finish(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	var b begun
	if c, err := r.Cookie(l.cookie("", 0).Name); err == nil {
		data, _ := base64.RawURLEncoding.DecodeString(c.Value)
		_ = json.Unmarshal(data, &b) // what is missing then fits no answer
	}
	http.SetCookie(w, l.cookie("", 0))
	token, err := l.redeem(ctx, b, r.URL.Query())
	if err != nil {
		l.answer(w, l.reason(ctx, err), b.Page)
		return
	}
	l.answer(w, "log-in="+url.QueryEscape(token), b.Page)
}

// answer sends the user back to the page. The address is relative, because a proxy
// may serve the page below another path.
func (l *logIn) answer(w http.ResponseWriter, result, nonce string) {
	if !pageNonce.MatchString(nonce) {
		nonce = ""
	}
	w.Header().Set("Location", "../../#"+result+"&nonce="+nonce)
	w.WriteHeader(http.StatusSeeOther)
}

// The reasons that the page knows.
const (
	errNotBegun  = refusal("the log-in was not begun in this browser, or took too long")
	errAtIssuer  = refusal("the issuer did not log the user in")
	errBadAnswer = refusal("the answer of the issuer is not valid")
)

// reason returns the part of an answer for an error, which it logs.
func (l *logIn) reason(ctx context.Context, err error) string {
	code := "failed"
	switch {
	case errors.Is(err, errNotBegun):
		code = "not-begun"
	case errors.Is(err, errNotAllowed):
		code = "not-allowed"
	case errors.Is(err, errBlocked):
		code = "blocked"
	case errors.As(err, new(refusal)):
		code = "refused"
	}
	if code == "failed" {
		l.options.Logger.ErrorContext(ctx, "a log-in at an identity provider failed", "idp", l.name, "error", err)
	} else {
		l.options.Logger.DebugContext(ctx, "a log-in at an identity provider was refused", "idp", l.name, "reason", err)
	}
	return "log-in-error=" + code
}

// redeem checks the answer of the issuer, and returns a log-in token.
func (l *logIn) redeem(ctx context.Context, b begun, answer url.Values) (string, error) {
	switch {
	case b.State == "" || subtle.ConstantTimeCompare([]byte(b.State), []byte(answer.Get("state"))) != 1:
		return "", errNotBegun
	case answer.Has("iss") && answer.Get("iss") != l.options.Issuer: // RFC 9207
		return "", errBadAnswer
	case answer.Get("code") == "":
		return "", errAtIssuer
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return "", fmt.Errorf("waiting for other log-ins: %w", ctx.Err())
	}
	who, access, err := l.exchange(ctx, b, answer.Get("code"))
	if err != nil {
		return "", err
	}
	user, err := l.admit(ctx, who, func() (identity, error) { return l.complete(ctx, access, who) })
	if err != nil {
		return "", err
	}
	token, err := l.users.authority.IssueLogIn(ctx, user, l.users.authority.Now())
	if err != nil {
		return "", fmt.Errorf("issuing a log-in token: %w", err)
	}
	return token.String(), nil
}

// exchange exchanges a code for what the ID token says, and an access token for
// the userinfo endpoint.
func (l *logIn) exchange(ctx context.Context, b begun, code string) (identity, string, error) {
	config, err := l.config(ctx)
	if err != nil {
		return identity{}, "", err
	}
	tokens, err := config.Exchange(context.WithValue(ctx, oauth2.HTTPClient, l.issuer.client), code, oauth2.VerifierOption(b.Verifier))
	if answered, ok := errors.AsType[*oauth2.RetrieveError](err); ok && answered.Response.StatusCode < http.StatusInternalServerError {
		if answered.ErrorCode == "invalid_grant" {
			return identity{}, "", errAtIssuer
		}
		// The body may contain the code.
		return identity{}, "", fmt.Errorf("exchanging a code: the issuer answered with the status %d and the error %.40q", answered.Response.StatusCode, answered.ErrorCode)
	}
	if err != nil {
		return identity{}, "", fmt.Errorf("exchanging a code: %w", shortened(err))
	}
	text, _ := tokens.Extra("id_token").(string)
	who, err := l.verifyIDToken(ctx, text, b.Nonce)
	return who, tokens.AccessToken, err
}
