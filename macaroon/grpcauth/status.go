package grpcauth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"runtime/debug"
	"time"

	// The standard details of gRPC statuses.
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
)

// Names in the details of statuses.
const (
	errorDomain = "onezone" // the domain of the ErrorInfo
	errorKey    = "error"   // the metadata of the ErrorInfo that is the JSON of the error
)

// maxDetails is the longest JSON of an error in a status, in bytes. Many
// clients accept 8 KiB of metadata, in which the status is encoded twice.
const maxDetails = 3 << 10

// defaultRetryDelay is the time after which a client may repeat a call whose
// token could not be verified.
const defaultRetryDelay = time.Second

// statusCodes are the codes for the HTTP status of errors of the catalogue.
var statusCodes = map[int]codes.Code{
	http.StatusBadRequest:          codes.InvalidArgument,
	http.StatusUnauthorized:        codes.Unauthenticated,
	http.StatusForbidden:           codes.PermissionDenied,
	http.StatusNotFound:            codes.NotFound,
	http.StatusConflict:            codes.AlreadyExists,
	http.StatusInternalServerError: codes.Internal,
	http.StatusNotImplemented:      codes.Unimplemented,
	http.StatusServiceUnavailable:  codes.Unavailable,
}

// refuse returns the status for an error of [Interceptor.admit]. It logs
// operational errors.
func (i *Interceptor) refuse(ctx context.Context, c call, err error) error {
	if e, ok := err.(*errors.Error); ok {
		return c.statusOf(e, 0)
	}
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	i.log.ErrorContext(ctx, "a call could not be authenticated", "method", c.method, "error", err)
	wait, ok := operational.RetryAfter(err)
	if !ok {
		wait = defaultRetryDelay
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return c.statusOf(errors.Timeout(), wait)
	}
	return c.statusOf(errors.ServiceUnavailable(), wait)
}

// authorize returns the status for a call whose message the client may not
// send, nil if it may.
func (i *Interceptor) authorize(ctx context.Context, c call, message any) error {
	err := c.rule.authorize(c.auth, message)
	if e, ok := err.(*errors.Error); ok {
		return c.statusOf(e, 0)
	}
	if err != nil {
		return i.internal(ctx, "the rule of a method does not fit its messages", "method", c.method, "error", err)
	}
	return nil
}

// handlerStatus returns the error of a handler, with errors of the catalogue as
// statuses.
func (c call) handlerStatus(err error) error {
	if _, isStatus := status.FromError(err); isStatus {
		return err
	}
	if e, ok := errors.AsType[*errors.Error](err); ok {
		return c.statusOf(e, defaultRetryDelay)
	}
	return err
}

// statusOf returns the status for an error of the catalogue. wait is for
// errors with the code Unavailable.
func (c call) statusOf(e *errors.Error, wait time.Duration) error {
	code, ok := statusCodes[e.HTTPStatus()]
	switch {
	case !ok:
		code = codes.Unknown
	case code == codes.Unauthenticated && c.authenticated:
		code = codes.PermissionDenied // the token is valid, and does not suffice
	}
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{
		Reason: string(e.ID), Domain: errorDomain, Metadata: map[string]string{errorKey: encode(e)},
	}}
	if code == codes.Unavailable {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	}
	st := status.New(code, e.Error())
	if detailed, err := st.WithDetails(details...); err == nil {
		st = detailed
	}
	return st.Err()
}

// encode returns the JSON of an error, without its details if it is too long.
func encode(e *errors.Error) string {
	raw, err := json.Marshal(e)
	if err != nil || len(raw) > maxDetails {
		raw, _ = json.Marshal(map[string]string{"id": string(e.ID), "description": e.Description}) // never fails
	}
	return string(raw)
}

// ErrorFrom returns the error of the catalogue in the error of a call, for
// clients. ok is false for other errors. The id is always that of the server;
// the details are missing if they are longer than 3 KiB.
func ErrorFrom(err error) (e *errors.Error, ok bool) {
	st, ok := status.FromError(err)
	if !ok {
		return nil, false
	}
	for _, detail := range st.Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if !ok || info.GetDomain() != errorDomain {
			continue
		}
		e := &errors.Error{}
		if json.Unmarshal([]byte(info.GetMetadata()[errorKey]), e) == nil && e.ID != "" {
			return e, true
		}
	}
	return nil, false
}

// recoverPanic replaces a panic by the status Internal. It must be deferred.
func (i *Interceptor) recoverPanic(ctx context.Context, method string, err *error) {
	if reason := recover(); reason != nil {
		*err = i.internal(ctx, "a call panicked", "method", method, "panic", reason, "stack", string(debug.Stack()))
	}
}

// internal returns the status Internal for a fault of the server. It logs what
// happened with a reference, which is all that the client learns.
func (i *Interceptor) internal(ctx context.Context, what string, args ...any) error {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails
	reference := hex.EncodeToString(b[:])
	i.log.ErrorContext(ctx, what, append([]any{"reference", reference}, args...)...)
	return call{}.statusOf(errors.InternalServerError(reference), 0)
}
