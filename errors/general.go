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

func generalErrors() []entry {
	return []entry{
		{"badMessage", statusBadRequest, []field{textOrObject("message")},
			described("The message could not be understood: {message}.")},
		{IDInternalServerError, statusInternal, []field{optional(text("reference"))}, []sentence{
			{text: "The server failed to process the request. When you report it to the administrators, quote the reference {reference}."},
			{text: "The server failed to process the request. If it happens again, report it to the administrators."}}},
		{"notImplemented", statusNotImplemented, nil, described("This operation is not implemented.")},
		{IDNotSupported, statusBadRequest, nil, described("The resource does not support this operation.")},
		{IDServiceUnavailable, statusUnavailable, nil, described("A service that the operation needs is offline.")},
		{IDTimeout, statusUnavailable, nil, described("The operation timed out.")},
		{IDTemporaryFailure, statusUnavailable, nil, described("The operation failed for a temporary reason. Try again later.")},
		{"externalServiceOperationFailed", statusUnavailable, []field{text("serviceName")},
			described("The external service {serviceName} has problems. They may be temporary, or the service may be misconfigured.")},
		{IDNotFound, statusNotFound, nil, described("The resource was not found.")},
		{IDAlreadyExists, statusConflict, nil, described("The resource exists already.")},
		{"fileAccess", statusInternal, []field{text("path"), text("errno")},
			described("The file {path} could not be accessed: {text:errno}.")},
		{IDLimitReached, statusBadRequest, []field{integer("limit"), text("resourceDescription")},
			described("The limit of {limit} {text:resourceDescription} is reached.")},
		{"unregisteredOneprovider", statusUnavailable, nil, described("This Oneprovider is not registered in a Onezone.")},
		// The later generation of the API names the missing peer.
		{"noConnectionToOnezone", statusUnavailable, []field{optional(text("zoneDomain"))}, []sentence{
			{text: "There is no connection to the Onezone {zoneDomain}."},
			{text: "There is no connection to Onezone."}}},
		{"noConnectionToPeerOneprovider", statusUnavailable,
			[]field{optional(text("providerId")), optional(text("providerDomain"))}, []sentence{
				{text: "There is no connection to the peer Oneprovider {providerDomain} with the id {providerId}."},
				{text: "There is no connection to the peer Oneprovider {providerDomain}."},
				{text: "There is no connection to the peer Oneprovider with the id {providerId}."},
				{text: "There is no connection to the peer Oneprovider."}}},
		{"noConnectionToClusterNode", statusUnavailable, []field{optional(text("nodeName"))}, []sentence{
			{text: "There is no connection to the node {nodeName} of the cluster."},
			{text: "There is no connection to a node of the cluster."}}},
		{"posix", statusBadRequest, []field{text("errno")}, described("The operation failed with the POSIX code {errno}.")},
	}
}

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
