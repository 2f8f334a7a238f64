package remote

import "time"

// QuickBackOff returns an option that makes retries and probes quick, for tests
// with real time.
func QuickBackOff() Option {
	return func(s *settings) { s.firstBackOff, s.breakerPause = time.Millisecond, 50*time.Millisecond }
}

// BreakerPause returns an option that sets the time between the opening of the
// breaker and a probe.
func BreakerPause(d time.Duration) Option { return func(s *settings) { s.breakerPause = d } }

// BackOff returns an option that sets the time before the first retry.
func BackOff(d time.Duration) Option { return func(s *settings) { s.firstBackOff = d } }
