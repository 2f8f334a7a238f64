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

func authErrors() []entry {
	return []entry{
		{IDUnauthorized, statusUnauthorized, []field{nullable(nested("authError"))}, []sentence{
			{text: "The given authentication is not valid for this operation: {authError}."},
			{text: "The operation needs authentication. Provide a token or other credentials."}}},
		{IDForbidden, statusForbidden, []field{optional(text("hint"))}, forbiddenSays()},
		// Of the later generation of the API, which names the two variants of forbidden apart.
		{"forbiddenWithHint", statusForbidden, []field{text("hint")}, forbiddenSays()},
		{IDUserBlocked, statusBadRequest, nil,
			simply("The account was blocked by an administrator, and cannot be used until it is unblocked.")},
		{IDBadBasicCredentials, statusBadRequest, nil, simply("The user name or the password is wrong.")},
		{IDBasicAuthNotSupported, statusBadRequest, nil, simply("This Onezone does not support basic authentication.")},
		{"basicAuthDisabled", statusBadRequest, nil, simply("Basic authentication is switched off for this user.")},
		{IDBadIdpAccessToken, statusBadRequest, []field{text("idp")},
			simply("The access token of the identity provider {idp} is not valid.")},
	}
}

func forbiddenSays() []sentence {
	return []sentence{
		{text: "You are not authorised to perform this operation: {text:hint}."},
		{text: "You are not authorised to perform this operation."},
	}
}

// Unauthorized reports that the authentication is not valid, for the reason authError, or with nil that there was
// none. An authError that is not of the catalogue becomes an internalServerError in the details; it stays reachable
// by [Is] and [As].
func Unauthorized(authError error) *Error {
	e := From(authError)
	if e == nil {
		return raise(IDUnauthorized, nil)
	}
	return raise(IDUnauthorized, details{"authError": e})
}

// Forbidden reports that the authenticated client lacks the rights to do what it asked for. The hint, which may be
// empty, is a phrase that ends the description: "the privilege space_view is missing".
func Forbidden(hint string) *Error {
	if hint == "" {
		return raise(IDForbidden, nil)
	}
	return raise(IDForbidden, details{"hint": hint})
}

// UserBlocked reports that the user's account is blocked.
func UserBlocked() *Error { return raise(IDUserBlocked, nil) }

// BadBasicCredentials reports a wrong user name or password.
func BadBasicCredentials() *Error { return raise(IDBadBasicCredentials, nil) }

// BasicCredentialsTooLong reports that an Authorization header with a user name and password is longer than limit
// bytes. It is badBasicCredentials with another description.
func BasicCredentialsTooLong(limit int) *Error {
	return raise(IDBadBasicCredentials, nil).
		saying("An Authorization header with a user name and password may have at most %d bytes", limit)
}

// BasicAuthNotSupported reports that there is no basic authentication here.
func BasicAuthNotSupported() *Error { return raise(IDBasicAuthNotSupported, nil) }

// BadIdpAccessToken reports that the access token of an identity provider is not valid.
func BadIdpAccessToken(idp string) *Error {
	return raise(IDBadIdpAccessToken, details{"idp": idp})
}
