package errors

// Token errors.
const (
	IDBadToken                        ID = "badToken"
	IDTokenTooLarge                   ID = "tokenTooLarge"
	IDBadServiceToken                 ID = "badServiceToken"
	IDBadConsumerToken                ID = "badConsumerToken"
	IDTokenInvalid                    ID = "tokenInvalid"
	IDTokenRevoked                    ID = "tokenRevoked"
	IDNotAnAccessToken                ID = "notAnAccessToken"
	IDNotAnIdentityToken              ID = "notAnIdentityToken"
	IDNotAnInviteToken                ID = "notAnInviteToken"
	IDTokenCaveatUnknown              ID = "tokenCaveatUnknown"
	IDTokenCaveatUnverified           ID = "tokenCaveatUnverified"
	IDTokenTimeCaveatRequired         ID = "tokenTimeCaveatRequired"
	IDTokenSubjectInvalid             ID = "tokenSubjectInvalid"
	IDTokenServiceForbidden           ID = "tokenServiceForbidden"
	IDTokenSessionInvalid             ID = "tokenSessionInvalid"
	IDInviteTokenSubjectNotAuthorized ID = "inviteTokenSubjectNotAuthorized"
	IDInviteTokenUsageLimitReached    ID = "inviteTokenUsageLimitReached"
	IDInviteTokenConsumerInvalid      ID = "inviteTokenConsumerInvalid"
	IDInviteTokenTargetIDInvalid      ID = "inviteTokenTargetIdInvalid"
)

// BadToken reports a text that is not a token. The reason, which may be empty,
// is a phrase for the description ("the signature is not 32 bytes"). It must
// not contain any part of the token.
func BadToken(reason string) *Error {
	e := newError(IDBadToken, nil)
	if reason == "" {
		return e
	}
	return e.withDescription("The token could not be understood: %s.", sanitize(reason))
}

// TokenTooLarge reports a token with more characters than the limit.
func TokenTooLarge(limit int) *Error {
	return newError(IDTokenTooLarge, details{"limit": int64(limit)})
}

// BadServiceToken reports that the token with which a service identifies itself
// is not valid. A tokenError outside the catalogue becomes an
// internalServerError in the details; [Is] and [As] still find it.
func BadServiceToken(tokenError error) *Error {
	return newError(IDBadServiceToken, details{"tokenError": toCatalogued(tokenError)})
}

// BadConsumerToken reports that the token with which the consumer of another
// token identifies itself is not valid. It treats tokenError like
// [BadServiceToken].
func BadConsumerToken(tokenError error) *Error {
	return newError(IDBadConsumerToken, details{"tokenError": toCatalogued(tokenError)})
}

// TokenInvalid reports a token whose signature no key of this Onezone made.
func TokenInvalid() *Error { return newError(IDTokenInvalid, nil) }

// TokenRevoked reports a revoked token.
func TokenRevoked() *Error { return newError(IDTokenRevoked, nil) }

// NotAnAccessToken reports a token of another type. The received type is any
// value that marshals to the JSON of token types: {"identityToken":{}}.
func NotAnAccessToken(received any) *Error {
	return newError(IDNotAnAccessToken, details{"received": plainJSON(received)})
}

// NotAnIdentityToken reports a token of another type. The received type is as
// in [NotAnAccessToken].
func NotAnIdentityToken(received any) *Error {
	return newError(IDNotAnIdentityToken, details{"received": plainJSON(received)})
}

// NotAnInviteToken reports a token that is not an invite token of the expected
// type ("userJoinGroup", or "any"). The received type is as in
// [NotAnAccessToken].
func NotAnInviteToken(expectedInviteType string, received any) *Error {
	return newError(IDNotAnInviteToken, details{
		"expectedInviteType": expectedInviteType,
		"received":           plainJSON(received),
	})
}

// TokenCaveatUnknown reports the text of a caveat outside the language.
func TokenCaveatUnknown(text string) *Error {
	return newError(IDTokenCaveatUnknown, details{"caveat": text})
}

// TokenCaveatUnverified reports a caveat that the request does not satisfy. The
// caveat is any value that marshals to the JSON of caveats:
// {"type":"time","validUntil":1571147494}. The demand describes the requirement
// in words, as a clause that can follow a colon: "the token expired at
// 2019-10-15T13:58:14Z". If it is empty, the description shows the JSON.
func TokenCaveatUnverified(caveat any, demand string) *Error {
	e := newError(IDTokenCaveatUnverified, details{"caveat": plainJSON(caveat)})
	if demand == "" {
		return e
	}
	return e.withDescription("The token is not valid here because of a caveat: %s.", sanitize(demand))
}

// OwnerCaveatUnverified is [TokenCaveatUnverified] for a caveat that the owner
// of the token added to its record, on the given day: "2026-11-29".
func OwnerCaveatUnverified(caveat any, demand, day string) *Error {
	e := newError(IDTokenCaveatUnverified, details{"caveat": plainJSON(caveat)})
	return e.withDescription("The token is not valid here because of a caveat added by the owner on %s: %s.", sanitize(day), sanitize(demand))
}

// TokenTimeCaveatRequired reports that a token must expire within maxTTL
// seconds.
func TokenTimeCaveatRequired(maxTTL int64) *Error {
	return newError(IDTokenTimeCaveatRequired, details{"maxTtl": maxTTL})
}

// TokenSubjectInvalid reports that the subject of a token does not exist or is
// not the expected one.
func TokenSubjectInvalid() *Error { return newError(IDTokenSubjectInvalid, nil) }

// TokenServiceForbidden reports a service that the subject of the token may not
// use. The service is any value that marshals to the JSON of services:
// {"type":"op_worker","id":"p1"}.
func TokenServiceForbidden(service any) *Error {
	return newError(IDTokenServiceForbidden, details{"service": plainJSON(service)})
}

// TokenSessionInvalid reports that a token belongs to another session.
func TokenSessionInvalid() *Error { return newError(IDTokenSessionInvalid, nil) }

// InviteTokenSubjectNotAuthorized reports that the subject of an invite token
// may not invite.
func InviteTokenSubjectNotAuthorized() *Error {
	return newError(IDInviteTokenSubjectNotAuthorized, nil)
}

// InviteTokenUsageLimitReached reports that an invite token's usage limit has
// been reached.
func InviteTokenUsageLimitReached() *Error { return newError(IDInviteTokenUsageLimitReached, nil) }

// InviteTokenConsumerInvalid reports a consumer that cannot use this type of
// invite token. The consumer is any value that marshals to the JSON of
// subjects: {"type":"user","id":"u1"}.
func InviteTokenConsumerInvalid(consumer any) *Error {
	return newError(IDInviteTokenConsumerInvalid, details{"consumer": plainJSON(consumer)})
}

// InviteTokenTargetIDInvalid reports a target id that is not valid for this
// type of invite token.
func InviteTokenTargetIDInvalid(id string) *Error {
	return newError(IDInviteTokenTargetIDInvalid, details{"id": id})
}
