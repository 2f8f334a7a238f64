package rest

import (
	"cmp"
	"net/http"
	"path"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/gripattern"
	"github.com/onezone-go/onezone/internal/strictjson"
	"github.com/onezone-go/onezone/macaroon"
)

// Prefix is the path prefix of all routes.
const Prefix = "/api/v3/onezone"

// MaxHeaderBytes is the recommended MaxHeaderBytes of [http.Server]. It has
// room for an access, a service and a consumer token of the largest size; a
// larger token is answered with tokenTooLarge. The default of the server, 1
// MiB, has no room for two such tokens: the server then answers 431 without
// JSON.
const MaxHeaderBytes = 4 * macaroon.DefaultMaxSize

// NewHandler returns the token API over the authority: all routes under
// [Prefix]. It sets no time limits; the server should (see
// [http.Server.ReadTimeout]). Errors: badData {key "authority"} if a is nil,
// and those of [ValidateOrigin] for the origins of [WithAllowedOrigins].
func NewHandler(a *macaroon.Authority, options ...Option) (http.Handler, error) {
	if a == nil {
		return nil, errors.BadDataHint("authority", "the token API needs an authority")
	}
	h := &handler{config: newConfig(forAPI, a, options), mux: http.NewServeMux()}
	for _, origin := range h.origins {
		if err := ValidateOrigin(origin); err != nil {
			return nil, err
		}
	}
	byPath := map[string]map[string]http.HandlerFunc{documentPath: {http.MethodGet: serveDocument}}
	for _, rt := range routes() {
		resource, err := caveat.ParseGRI(rt.gri)
		if err != nil {
			return nil, err
		}
		if byPath[rt.path] == nil {
			byPath[rt.path] = make(map[string]http.HandlerFunc)
		}
		byPath[rt.path][rt.method] = func(w http.ResponseWriter, r *http.Request) {
			h.serve(&call{handler: h, w: w, r: r, route: &rt, resource: resource})
		}
	}
	for p, actions := range byPath {
		h.mux.Handle(Prefix+p, h.methods(actions))
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	return h, nil
}

type handler struct {
	*config
	mux *http.ServeMux
}

// route is one operation of the API.
type route struct {
	method    string
	path      string // below Prefix, with wildcards
	operation caveat.Operation
	// gri is the resource for api caveats. {NAME} is a path value, {ME} the id
	// of the client.
	gri string
	// load finds the target of the request, and rule decides who may use the
	// route. Both are nil for routes without a target, which everybody may use.
	load loader
	rule rule
	// do validates the input and performs the operation.
	do func(*call) error
}

// call is one request to a route.
type call struct {
	*handler
	w        http.ResponseWriter
	r        *http.Request
	route    *route
	resource caveat.GRI // that of the route, parsed
	client   Client
	slot     *slot              // its share of the limits
	body     *strictjson.Object // of POST and PATCH
	received reservedBody       // of the request, as it arrives
	target                      // what the request is about
}

// ServeHTTP accepts a trailing slash, and answers paths that are not clean with
// 404. The mux would redirect such paths together with their credentials. Both
// rules apply to the escaped path: an escaped slash or dot belongs to a value.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if reason := recover(); reason != nil && reason != http.ErrAbortHandler {
			h.recovered(w, r, reason)
		} else if reason != nil {
			panic(reason)
		}
	}()
	w.Header()["Access-Control-Allow-Origin"], w.Header()["Cache-Control"] = originHeader, noStoreHeader
	received := r
	r = h.begin(w, r)
	defer func() { received.Pattern = r.Pattern }() // for access logs, as with http.ServeMux
	if r.Method == http.MethodHead {
		w = bodyless{w}
	}
	escaped := r.URL.EscapedPath()
	if trimmed, ok := strings.CutSuffix(escaped, "/"); ok && strings.HasPrefix(trimmed, Prefix+"/") {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = strings.TrimSuffix(r.URL.Path, "/"), trimmed
		escaped = trimmed
	}
	if path.Clean(escaped) != escaped {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// serve processes a request in this order: authentication, content negotiation,
// body, caveats, authorization, and the steps of the route.
func (h *handler) serve(c *call) {
	w, r := c.w, c.r
	var err error
	c.client, c.slot, err = h.admit(r)
	defer c.slot.leave()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	*r = *r.WithContext(h.authenticated(r.Context(), c.client)) // r is the copy of begin
	if !accepts(r.Header["Accept"]) {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	var data []byte
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		var ok bool
		if data, ok = c.receive(); !ok {
			return
		}
	}
	body, isObject, err := parseBody(data)
	if err == nil {
		err = c.authorize()
	}
	if err == nil && !isObject {
		err = errors.MalformedData()
	}
	if err == nil {
		c.body = body
		if err = c.route.do(c); errors.Is(err, errors.IDForbidden) {
			c.reportDenied(c.target, err)
		}
	}
	if err != nil {
		h.fail(w, r, err)
	}
}

// receive reads the body, or answers the request if it cannot.
func (c *call) receive() (data []byte, ok bool) {
	c.received = reservedBody{ReadCloser: c.r.Body, call: c}
	c.r.Body = &c.received
	data, err := readBody(c.w, c.r)
	switch {
	case err == nil:
		return data, true
	case errors.As(err, new(busyError)):
		c.fail(c.w, c.r, err)
	case errors.Is(err, errMediaType):
		c.w.WriteHeader(http.StatusUnsupportedMediaType)
	case errors.As(err, new(*http.MaxBytesError)):
		respond(c.w, http.StatusRequestEntityTooLarge,
			errors.Envelope{Error: errors.LimitReached(maxBody, "bytes in the body of a request")})
	default: // truncated or badly framed by the client
		c.fail(c.w, c.r, errors.MalformedData())
	}
	return nil, false
}

// authorize decides whether the client may use the route: first by the caveats
// of its token, then by its rights.
func (c *call) authorize() error {
	rt := c.route
	if err := c.caveatsAllow(rt.operation, c.resource); err != nil {
		return err
	}
	if rt.rule == nil {
		return nil
	}
	if c.client.IsNobody() {
		return errors.Unauthorized(nil)
	}
	t, err := rt.load(c)
	if err != nil {
		return err
	}
	if err := c.decide(rt.rule, t, errForbidden); err != nil {
		return err
	}
	c.target = t
	return nil
}

// errForbidden is shared by all requests, because describing an error takes as
// long as a decision.
var errForbidden = errors.Forbidden("")

// decide applies a rule to a target. It returns refusal if the rule does not
// allow the client, whether or not the token exists.
func (c *call) decide(allows rule, t target, refusal error) error {
	allowed, err := allows(c.r.Context(), question{client: c.client.Subject, owner: t.owner, rights: c.rights})
	if err == nil && !allowed {
		c.reportDenied(t, errForbidden)
		err = refusal
	}
	return cmp.Or(err, t.missing)
}

func (c *call) reportDenied(t target, err error) {
	c.authority.ReportDenied(c.r.Context(), t.tokenID, t.owner, err)
}

// caveatsAllow returns an error unless the caveats of the client's token allow an
// operation on a resource, in which {NAME} is a path value.
func (c *call) caveatsAllow(operation caveat.Operation, resource caveat.GRI) error {
	if c.client.Token == nil {
		return nil
	}
	return c.reportForbidden(c.r, c.client.Authorize(caveat.OzWorker, operation, gripattern.Fill(resource, c.pathValue)))
}

// parent returns the verified token of the client, whose caveats all tokens
// that the client gets must inherit. It is nil for clients without a token.
func (c *call) parent() *macaroon.Auth {
	if c.unconfined {
		return nil
	}
	return c.client.Token
}

// pathValue returns a path value, or for ME the id of the client.
func (c *call) pathValue(name string) string {
	if name == "ME" {
		return c.client.Subject.ID
	}
	return c.r.PathValue(name)
}
