// Package metrics exports Prometheus metrics of an authority, its store and
// clients of other Onezones: event counts and the latency of store calls.
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
//	onezone_tokens_refused_total{reason}      tokens that were rejected; reason: the id of the error
//	onezone_tokens_revoked_total              revocations of tokens, copies and of all temporary tokens of a subject
//	onezone_tokens_restored_total             revoked tokens that were restored
//	onezone_tokens_deleted_total              named tokens that were deleted
//	onezone_tokens_bait_used_total            alarms of canaries, at most one a minute for each
//	onezone_logins_total{outcome}             log-ins with a password; outcome: ok, throttled, or the id of an
//	                                          error: badBasicCredentials, userBlocked
//	onezone_store_duration_seconds{operation,outcome}
//	                                          store calls; outcome: ok, the id of an error of the
//	                                          catalogue, canceled, fault (another operational error)
//	onezone_cache_...                         see [Metrics.Cache]
//	onezone_remote_...                        see [Metrics.Remote]
//
// [macaroon.Authority.Parse] does not report to observers, so its results are
// not counted.
//
// # Guarantees
//
//   - Labels have few values: the operations of package store and the error ids
//     of the catalogue. Clients cannot add others: no id, name or address is a
//     label.
//   - A measured store returns the values and errors of its backend unchanged.
//   - Frequent successful operations need no lookup of labels.
package metrics
