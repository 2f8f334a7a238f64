package discharge

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// Handler is the HTTP server of a discharger. It serves these paths below the
// location of the caveats, so use [http.StripPrefix] if the location has a path:
//
//	POST /discharge       a discharge, or where to wait for it
//	GET  /discharge/wait  answers when the discharge is ready
//	GET  /discharge/info  the public key
//
// The requests and answers are those of macaroon-bakery's httpbakery. A wait takes
// up to 30 seconds for clients of this package, and up to 15 minutes for those of
// macaroon-bakery, which do not come back; a WriteTimeout of the server ends it
// earlier. A Handler is safe for concurrent use, and keeps nothing between
// requests.
type Handler struct {
	check  Check
	keys   []PrivateKey
	open   func(ctx context.Context, identifier string) (condition string, key store.Secret, err error)
	visits visits
	now    func() time.Time
	log    *slog.Logger

	waiting chan struct{} // one element for each request that waits
	pause   time.Duration // between two calls of check for one
	maxWait time.Duration // of clients that cannot come back
}

// Limits of a Handler.
const (
	maxBody    = 64 << 10         // of a request, in bytes
	maxWaiting = 256              // requests that wait at a time
	maxPrefer  = 30 * time.Second // that a client may choose to wait
)

// HandlerOption changes a default of [NewHandler].
type HandlerOption func(*Handler)

// WithOldKeys adds keys that also open identifiers. Only the key of [NewHandler]
// is shown to services.
func WithOldKeys(keys ...PrivateKey) HandlerOption {
	return func(h *Handler) { h.keys = append(h.keys, keys...) }
}

// WithIdentifiers sets a function for identifiers that are no encrypted
// conditions, such as the keys of a database that the discharger shares with the
// service. It is called for those that no private key opens. The error should be
// badData {key "identifier"} for an identifier that does not exist.
func WithIdentifiers(open func(ctx context.Context, identifier string) (condition string, key store.Secret, err error)) HandlerOption {
	return func(h *Handler) { h.open = open }
}

// WithHandlerClock sets the clock. Default: [time.Now].
func WithHandlerClock(now func() time.Time) HandlerOption { return func(h *Handler) { h.now = now } }

// WithLogger sets the logger of operational errors. Default: [slog.Default].
func WithLogger(l *slog.Logger) HandlerOption { return func(h *Handler) { h.log = l } }

// NewHandler returns a discharger with a key that decides conditions by a Check.
// The error is badValueEmpty {key "key" or "check"}.
func NewHandler(key PrivateKey, check Check, options ...HandlerOption) (*Handler, error) {
	switch {
	case key.IsZero():
		return nil, errors.BadValueEmpty("key")
	case check == nil:
		return nil, errors.BadValueEmpty("check")
	}
	h := &Handler{
		check: check, keys: []PrivateKey{key}, visits: newVisits(key), now: time.Now, log: slog.Default(),
		waiting: make(chan struct{}, maxWaiting), pause: time.Second, maxWait: maxVisit,
	}
	for _, option := range options {
		option(h)
	}
	return h, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch r.URL.Path {
	case "/discharge":
		h.route(w, r, http.MethodPost, h.discharge)
	case "/discharge/wait":
		h.route(w, r, http.MethodGet, h.wait)
	case "/discharge/info":
		h.route(w, r, http.MethodGet, h.info)
	default:
		h.refuse(w, r, errors.NotFound())
	}
}

// route calls serve for the method, and answers 405 to the others.
func (h *Handler) route(w http.ResponseWriter, r *http.Request, method string, serve http.HandlerFunc) {
	allowed := method
	if method == http.MethodGet {
		allowed += ", " + http.MethodHead
	}
	if r.Method == method || method == http.MethodGet && r.Method == http.MethodHead {
		serve(w, r)
		return
	}
	w.Header().Set("Allow", allowed)
	respond(w, http.StatusMethodNotAllowed, refusal(errors.NotSupported()))
}

func (h *Handler) info(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, infoBody{PublicKey: h.keys[0].Public().String(), Version: version3})
}

// discharge answers with a discharge, or with the URL at which to wait for it.
func (h *Handler) discharge(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(w, r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	c, err := h.caveatIn(r.Context(), f)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	answer, err := h.decide(r, c)
	switch {
	case err != nil:
		h.refuse(w, r, err)
	case answer.kind == comeBack:
		w.Header().Set("WWW-Authenticate", challenge)
		respond(w, http.StatusUnauthorized, interaction(answer.userURL, c.waitURL()))
	default:
		h.grant(w, r, c, answer)
	}
}

// grant answers with the discharge.
func (h *Handler) grant(w http.ResponseWriter, r *http.Request, c asked, answer Answer) {
	body, err := dischargeBodyOf(c, answer)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	respond(w, http.StatusOK, body)
}

func dischargeBodyOf(c asked, answer Answer) (dischargeBody, error) {
	m, err := general.New("", c.form.identifier, c.key)
	if err == nil {
		m, err = m.Confine(answer.caveats...)
	}
	for _, each := range answer.needs {
		if err == nil {
			m, err = Add(m, each)
		}
	}
	var text string
	if err == nil {
		text, err = m.Encode(general.V2JSON)
	}
	if err != nil {
		// The caveats are those of the Check, so this is not an error of the client.
		return dischargeBody{}, operational.Error("making a discharge", err)
	}
	return dischargeBody{Macaroon: []byte(text)}, nil
}

// asked is the caveat that a client wants discharged.
type asked struct {
	form      form
	condition string
	key       store.Secret
}

// caveatIn opens the identifier in a form, and checks that the visit belongs to
// it. It starts a visit if the form has none.
func (h *Handler) caveatIn(ctx context.Context, f form) (c asked, err error) {
	c.form = f
	if c.condition, c.key, err = h.openIdentifier(ctx, f); err != nil {
		return asked{}, err
	}
	if f.visit == "" {
		c.form.visit = h.visits.start(f.sealed(), h.now())
		return c, nil
	}
	return c, h.visits.check(f.visit, f.sealed(), h.now())
}

// openIdentifier tries all keys. The error is that of the first. A discharge has
// the identifier that the client names, so the function of WithIdentifiers gets
// only that: its condition is not to be decided by another text.
func (h *Handler) openIdentifier(ctx context.Context, f form) (condition string, key store.Secret, err error) {
	var first error
	for _, private := range h.keys {
		if condition, key, err = private.Open(f.sealed()); err == nil {
			return condition, key, nil
		}
		if first == nil {
			first = err
		}
	}
	if h.open == nil || f.payload != "" {
		return "", store.Secret{}, first
	}
	if condition, key, err = h.open(ctx, f.identifier); err == nil && (key.IsZero() || key.IsSealed()) {
		return "", store.Secret{}, errors.New("the function of WithIdentifiers returned no usable key")
	}
	return condition, key, err
}

// decide calls the Check.
func (h *Handler) decide(r *http.Request, c asked) (Answer, error) {
	answer, err := h.check(r.Context(), Question{Condition: c.condition, Visit: c.form.visit, Request: r})
	if err == nil {
		err = answer.problem()
	}
	return answer, err
}

// wait answers when the Check has decided. If the client prefers a time to wait
// (RFC 7240), it gets 202 after that.
func (h *Handler) wait(w http.ResponseWriter, r *http.Request) {
	f, err := formOf(r.URL.RawQuery)
	if err == nil && f.visit == "" {
		err = errors.MissingRequiredValue("token")
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	c, err := h.caveatIn(r.Context(), f)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	switch answer, err := h.waitForAnswer(r, c); {
	case err != nil:
		h.refuse(w, r, err)
	case answer.kind == comeBack:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusAccepted)
	default:
		respond(w, http.StatusOK, waitBody{Kind: tokenKind, Token: c.form.visit})
	}
}

// waitForAnswer calls the Check until it decides, for the time that the client
// waits. If too many clients wait, it calls it once.
func (h *Handler) waitForAnswer(r *http.Request, c asked) (Answer, error) {
	limit := h.maxWait
	if seconds, ok := preferredWait(r.Header); ok {
		limit = min(seconds, maxPrefer)
	}
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		limit = 0
	}
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	ticker := time.NewTicker(h.pause)
	defer ticker.Stop()
	for {
		answer, err := h.decide(r, c)
		if err != nil || answer.kind != comeBack {
			return answer, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return answer, r.Context().Err()
		}
		if err := h.visits.check(c.form.visit, c.form.sealed(), h.now()); err != nil {
			return Answer{}, err
		}
	}
}
