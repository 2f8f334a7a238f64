package errors

// Authentication and authorization errors.
const (
	IDUnauthorized          ID = "unauthorized"
	IDForbidden             ID = "forbidden"
	IDUserBlocked           ID = "userBlocked"
	IDBadBasicCredentials   ID = "badBasicCredentials"
	IDBasicAuthNotSupported ID = "basicAuthNotSupported"
	IDBadIdpAccessToken     ID = "badIdpAccessToken"
)

// Unauthorized reports that the authentication is not valid because of
// authError, or is missing if authError is nil. An authError outside the
// catalogue becomes an internalServerError in the details; [Is] and [As] still
// find it.
func Unauthorized(authError error) *Error {
	e := From(authError)
	if e == nil {
		return newError(IDUnauthorized, nil)
	}
	return newError(IDUnauthorized, details{"authError": e})
}

// Forbidden reports that the authenticated client lacks the rights for its
// request. The hint, which may be empty, is a phrase that ends the description:
// "the privilege space_view is missing".
func Forbidden(hint string) *Error {
	if hint == "" {
		return newError(IDForbidden, nil)
	}
	return newError(IDForbidden, details{"hint": hint})
}

// UserBlocked reports that the user's account is blocked.
func UserBlocked() *Error { return newError(IDUserBlocked, nil) }

// BadBasicCredentials reports a wrong user name or password.
func BadBasicCredentials() *Error { return newError(IDBadBasicCredentials, nil) }

// BasicCredentialsTooLong reports that an Authorization header with a user name
// and password is longer than limit bytes. It is badBasicCredentials with
// another description.
func BasicCredentialsTooLong(limit int) *Error {
	return newError(IDBadBasicCredentials, nil).
		withDescription("An Authorization header with a user name and password may have at most %d bytes", limit)
}

// BasicAuthNotSupported reports that basic authentication is not supported.
func BasicAuthNotSupported() *Error { return newError(IDBasicAuthNotSupported, nil) }

// BadIdpAccessToken reports that the access token of an identity provider is
// not valid.
func BadIdpAccessToken(idp string) *Error {
	return newError(IDBadIdpAccessToken, details{"idp": idp})
}
