package rest

import (
	"context"
	"net/http"

	"github.com/onezone-go/onezone/internal/eventid"
	"github.com/onezone-go/onezone/macaroon"
)

// headerRequestID carries the id of a request, in the request and in the
// response.
const headerRequestID = "X-Request-Id"

// maxRequestID is the length of the longest request id that is accepted from a
// client or proxy. Longer ones could fill a log.
const maxRequestID = 64

// WithActorObserver sets a function that is called with the client of each
// request, for access logs. The first call, when the request arrives, has the
// id of the request and the address of the client. The second follows when the
// client has authenticated. Default: no function.
func WithActorObserver(observe func(ctx context.Context, a macaroon.Actor)) Option {
	return func(c *config) { c.actorObserver = observe }
}

// begin adds the address of the client and the id of the request to the
// context, and the id to the response.
func (c *config) begin(w http.ResponseWriter, r *http.Request) *http.Request {
	a := macaroon.Actor{Address: c.peer(r), RequestID: requestID(r)}
	w.Header()[headerRequestID] = []string{a.RequestID}
	return r.WithContext(c.actFor(r.Context(), a))
}

// authenticated adds the identity of the client to the context of its request.
func (c *config) authenticated(ctx context.Context, client Client) context.Context {
	if client.IsNobody() {
		return ctx
	}
	a := macaroon.ActorFrom(ctx)
	a.Subject, a.Method = client.Subject, client.method
	if client.Token != nil {
		a.TokenID = client.Token.TokenID
	}
	return c.actFor(ctx, a)
}

func (c *config) actFor(ctx context.Context, a macaroon.Actor) context.Context {
	ctx = macaroon.WithActor(ctx, a)
	if c.actorObserver != nil {
		c.actorObserver(ctx, a)
	}
	return ctx
}

// requestID returns the id that a handler in front has set, the id in the
// header if it is plain, or a new one.
func requestID(r *http.Request) string {
	if a := macaroon.ActorFrom(r.Context()); a.RequestID != "" {
		return a.RequestID
	}
	if sent := r.Header[headerRequestID]; len(sent) == 1 && sent[0] != "" && len(sent[0]) <= maxRequestID && isPlainID(sent[0]) {
		return sent[0]
	}
	return eventid.New()
}
