package metrics

import (
	"context"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// Observe counts an event. It is a [macaroon.Observer]. If the application has
// its own observer, call both:
//
//	macaroon.WithObserver(func(ctx context.Context, e macaroon.Event) {
//		m.Observe(ctx, e)
//		audit(ctx, e)
//	})
func (m *Metrics) Observe(_ context.Context, e macaroon.Event) {
	switch e.Kind {
	case macaroon.Issued:
		m.issued.of(e.Type).Inc()
	case macaroon.Verified:
		m.verified.of(e.Type).Inc()
	case macaroon.Refused:
		m.refused.WithLabelValues(reason(e.Err)).Inc()
	case macaroon.BaitUsed:
		// An alarm that is reported again, because the family of the canary was
		// not revoked, is no other use.
		if errors.Is(e.Err, errors.IDTokenRevoked) {
			m.baitUsed.Inc()
			m.refused.WithLabelValues(reason(e.Err)).Inc()
		}
	case macaroon.Revoked:
		m.revoked.Inc()
	case macaroon.Restored:
		m.restored.Inc()
	case macaroon.Deleted:
		m.deleted.Inc()
	case macaroon.LoggedIn:
		m.logIns.WithLabelValues(outcomeOK).Inc()
	case macaroon.LogInFailed:
		m.logIns.WithLabelValues(reason(e.Err)).Inc()
	case macaroon.LogInThrottled:
		m.logIns.WithLabelValues(outcomeThrottle).Inc()
	}
}
