package errors

// General errors.
const (
	IDInternalServerError ID = "internalServerError"
	IDNotSupported        ID = "notSupported"
	IDServiceUnavailable  ID = "serviceUnavailable"
	IDTimeout             ID = "timeout"
	IDTemporaryFailure    ID = "temporaryFailure"
	IDNotFound            ID = "notFound"
	IDAlreadyExists       ID = "alreadyExists"
	IDLimitReached        ID = "limitReached"
)

// InternalServerError reports an unexpected fault of the server. With the
// reference, which may be empty, administrators find the fault in their logs.
func InternalServerError(reference string) *Error {
	if reference == "" {
		return newError(IDInternalServerError, nil)
	}
	return newError(IDInternalServerError, details{"reference": reference})
}

// NotSupported reports an operation that the resource does not support.
func NotSupported() *Error { return newError(IDNotSupported, nil) }

// ServiceUnavailable reports that a needed service is offline.
func ServiceUnavailable() *Error { return newError(IDServiceUnavailable, nil) }

// Timeout reports an operation that took too long.
func Timeout() *Error { return newError(IDTimeout, nil) }

// TemporaryFailure reports a failure that may be gone at a later attempt.
func TemporaryFailure() *Error { return newError(IDTemporaryFailure, nil) }

// NotFound reports a resource that does not exist.
func NotFound() *Error { return newError(IDNotFound, nil) }

// AlreadyExists reports a resource that exists already.
func AlreadyExists() *Error { return newError(IDAlreadyExists, nil) }

// LimitReached reports that a limit is reached. The resource is described in
// the plural ("tokens of a user").
func LimitReached(limit int, resourceDescription string) *Error {
	return newError(IDLimitReached, details{"limit": int64(limit), "resourceDescription": resourceDescription})
}
