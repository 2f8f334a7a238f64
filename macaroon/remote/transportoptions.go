package remote

import (
	"net/http"
	"slices"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// TransportOption changes a default of [NewTransport].
type TransportOption func(*Transport) error

// WithLifetime sets how long a copy of the token is valid. It should cover the
// way to the service and the difference of the clocks. Seconds count whole.
// Default: [DefaultLifetime]. The error is badValueTooLow for less than a
// second.
func WithLifetime(lifetime time.Duration) TransportOption {
	return func(t *Transport) error {
		if lifetime < time.Second {
			return errors.BadValueTooLow("lifetime", 1)
		}
		t.lifetime = lifetime
		return nil
	}
}

// WithCaveats adds caveats to every copy: the address of this client
// ([caveat.IP]), the interface that it uses ([caveat.REST]), the services that
// it calls ([caveat.Services]), and others. The type of the token must support
// them; identity tokens do not support services. The error is badValueCaveat
// for a caveat that no token may carry.
func WithCaveats(cs ...caveat.Caveat) TransportOption {
	return func(t *Transport) error {
		for _, c := range cs {
			if err := caveat.Validate(c); err != nil {
				return err
			}
		}
		t.caveats = append(t.caveats, slices.Clone(cs)...)
		return nil
	}
}

// WithCaveatsFor adds caveats that depend on the request, such as the paths or
// the operations that it needs. The function must not change the request, and
// goroutines call it concurrently. If it returns an error, the request is not
// sent.
func WithCaveatsFor(caveatsFor func(*http.Request) ([]caveat.Caveat, error)) TransportOption {
	return func(t *Transport) error {
		if caveatsFor == nil {
			return errors.BadDataHint("caveatsFor", "expected a function")
		}
		t.caveatsFor = append(t.caveatsFor, caveatsFor)
		return nil
	}
}

// WithReadonly adds the caveat data.readonly to copies for GET and HEAD. It is
// for services that serve files; others, such as Onezone, refuse tokens with
// data caveats.
func WithReadonly() TransportOption {
	return WithCaveatsFor(func(req *http.Request) ([]caveat.Caveat, error) {
		switch req.Method {
		case "", http.MethodGet, http.MethodHead: // empty means GET
			return []caveat.Caveat{caveat.DataReadonly{}}, nil
		}
		return nil, nil
	})
}

// AsBearer sends the token in the header Authorization, with the scheme Bearer.
// Default: X-Auth-Token.
func AsBearer() TransportOption {
	return func(t *Transport) error {
		t.bearer = true
		return nil
	}
}

// WithBase sets the transport that sends the requests. It sees the tokens.
// Default: [http.DefaultTransport].
func WithBase(base http.RoundTripper) TransportOption {
	return func(t *Transport) error {
		if base == nil {
			return errors.BadDataHint("base", "expected a transport")
		}
		t.base = base
		return nil
	}
}

// WithTransportClock sets the clock from which the lifetime of a copy is counted.
// Default: [time.Now].
func WithTransportClock(now func() time.Time) TransportOption {
	return func(t *Transport) error {
		if now == nil {
			return errors.BadDataHint("now", "expected a clock")
		}
		t.now = now
		return nil
	}
}
