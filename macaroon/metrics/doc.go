// Package metrics counts what an authority does, and measures how long its store
// takes, for Prometheus.
//
//	m, err := metrics.New(prometheus.DefaultRegisterer, metrics.Options{})
//	...
//	measured, err := m.Store(backend)
//	...
//	authority, err := macaroon.NewAuthority(measured, macaroon.WithObserver(m.Observe))
//
// # Series
//
//	onezone_tokens_issued_total{type}         tokens that were issued; type: access, identity, invite
//	onezone_tokens_verified_total{type}       tokens that were accepted
//	onezone_tokens_refused_total{reason}      tokens that were not accepted, by the id of the error
//	onezone_tokens_revoked_total              revocations of tokens, copies and of all temporary tokens of a subject
//	onezone_tokens_restored_total             revoked tokens that were restored
//	onezone_tokens_deleted_total              named tokens that were deleted
//	onezone_logins_total{outcome}             log-ins with a password; outcome: ok, throttled, or the id of an
//	                                          error: badBasicCredentials, userBlocked
//	onezone_store_duration_seconds{operation,outcome}
//	                                          calls of the store; outcome: ok, the id of an error of the
//	                                          catalogue, canceled, fault
//	onezone_cache_...                         see [Metrics.Cache]
//
// Text that is no token at all is refused by [macaroon.Authority.Parse], of which
// observers are not told: it is in no series here.
//
// # Laws
//
//   - Labels take few values: operations of package store and error ids of the
//     catalogue. No id, name or address is ever one, whatever a client sends.
//   - A measured store passes on values and errors as they are.
//   - What happens often and goes well costs no look-up of labels.
package metrics
