package errors

import "slices"

// Errors of single values in the data of a request.
const (
	IDMalformedData              ID = "malformedData"
	IDMissingRequiredValue       ID = "missingRequiredValue"
	IDMissingAtLeastOneValue     ID = "missingAtLeastOneValue"
	IDBadData                    ID = "badData"
	IDBadValueEmpty              ID = "badValueEmpty"
	IDBadValueBoolean            ID = "badValueBoolean"
	IDBadValueString             ID = "badValueString"
	IDBadValueListOfStrings      ID = "badValueListOfStrings"
	IDBadValueInteger            ID = "badValueInteger"
	IDBadValueJSON               ID = "badValueJSON"
	IDBadValueToken              ID = "badValueToken"
	IDBadValueTokenType          ID = "badValueTokenType"
	IDBadValueInviteType         ID = "badValueInviteType"
	IDBadValueIPv4Address        ID = "badValueIPv4Address"
	IDBadValueTooLow             ID = "badValueTooLow"
	IDBadValueNotAllowed         ID = "badValueNotAllowed"
	IDBadValueListNotAllowed     ID = "badValueListNotAllowed"
	IDBadValueIdentifier         ID = "badValueIdentifier"
	IDBadValueIdentifierOccupied ID = "badValueIdentifierOccupied"
)

func dataErrors() []entry {
	// value returns the entry of an error about the value of a key, with
	// optional further details.
	value := func(id ID, must string, more ...field) entry {
		return entry{id, statusBadRequest, append([]field{text("key")}, more...),
			described("Bad value: provided {key} " + must + ".")}
	}
	return []entry{
		{IDMalformedData, statusBadRequest, nil, described("The given data could not be understood: it must be valid JSON, with each key only once.")},
		{IDMissingRequiredValue, statusBadRequest, []field{text("key")}, described("The required value {key} is missing.")},
		{IDMissingAtLeastOneValue, statusBadRequest, []field{texts("keys")},
			described("At least one of these values must be given: {keys}.")},
		{IDBadData, statusBadRequest, []field{text("key"), optional(nested("specificError")), optional(text("hint"))}, []sentence{
			{text: "Bad data: provided {key} is not valid: {specificError}."},
			{text: "Bad data: provided {key} is not valid: {text:hint}."},
			{text: "Bad data: provided {key} has an invalid format or makes no sense here."}}},
		value(IDBadValueEmpty, "must not be empty"),
		value(IDBadValueBoolean, "must be a boolean"),
		value(IDBadValueString, "must be a string"),
		value(IDBadValueListOfStrings, "must be a list of strings"),
		value("badValueTextTooLarge", "must not be longer than {limit} characters", integer("limit")),
		value(IDBadValueInteger, "must be an integer"),
		value("badValueFloat", "must be a floating point number"),
		value(IDBadValueJSON, "must be a valid JSON object"),
		value("badValueXML", "must be valid XML"),
		value(IDBadValueToken, "is not a valid token: {tokenError}", nested("tokenError")),
		value(IDBadValueTokenType, "is not a valid token type; the types are accessToken, identityToken and inviteToken"),
		value(IDBadValueInviteType, "is not a valid invite type"),
		value(IDBadValueIPv4Address, "must be an IPv4 address such as 192.0.2.1"),
		value("badValueListOfIPv4Addresses", "must be a list of IPv4 addresses such as 192.0.2.1"),
		value(IDBadValueTooLow, "must be at least {limit}", integer("limit")),
		value("badValueTooHigh", "must not exceed {limit}", integer("limit")),
		value("badValueNotInRange", "must lie between {low} and {high}, inclusive", integer("low"), integer("high")),
		value(IDBadValueNotAllowed, "must be one of: {allowed}", list("allowed")),
		value(IDBadValueListNotAllowed, "must be a list of zero or more of: {allowed}", list("allowed")),
		value("badValueIdNotFound", "is an id that does not exist"),
		value("badValueAmbiguousId", "is an ambiguous id"),
		value(IDBadValueIdentifier, "is not a valid identifier"),
		value(IDBadValueIdentifierOccupied, "is taken already, choose another one"),
		value("badValueOctal", "must be an octal number"),
	}
}

// keyError returns an error whose only detail is the key.
func keyError(id ID, key string) *Error { return newError(id, details{"key": key}) }

// MalformedData reports data that is not a valid JSON object.
func MalformedData() *Error { return newError(IDMalformedData, nil) }

// MissingRequiredValue reports that the key is missing from the data.
func MissingRequiredValue(key string) *Error { return keyError(IDMissingRequiredValue, key) }

// MissingAtLeastOneValue reports that the data has none of the keys, which it
// sorts.
func MissingAtLeastOneValue(keys ...string) *Error {
	return newError(IDMissingAtLeastOneValue, details{"keys": plainStrings(slices.Sorted(slices.Values(keys)))})
}

// BadData reports a bad value for which there is no more specific error.
func BadData(key string) *Error { return keyError(IDBadData, key) }

// BadDataHint is [BadData] with a hint, a clause that can follow a colon.
func BadDataHint(key, hint string) *Error {
	return newError(IDBadData, details{"key": key, "hint": hint})
}

// BadValueEmpty reports an empty value.
func BadValueEmpty(key string) *Error { return keyError(IDBadValueEmpty, key) }

// BadValueBoolean reports a value that is not a boolean.
func BadValueBoolean(key string) *Error { return keyError(IDBadValueBoolean, key) }

// BadValueString reports a value that is not a string.
func BadValueString(key string) *Error { return keyError(IDBadValueString, key) }

// BadValueListOfStrings reports a value that is not a list of strings.
func BadValueListOfStrings(key string) *Error { return keyError(IDBadValueListOfStrings, key) }

// BadValueInteger reports a value that is not an integer.
func BadValueInteger(key string) *Error { return keyError(IDBadValueInteger, key) }

// BadValueJSON reports a value that is not a JSON object.
func BadValueJSON(key string) *Error { return keyError(IDBadValueJSON, key) }

// BadValueToken reports a value that is not a valid token because of
// tokenError. A tokenError outside the catalogue becomes an internalServerError
// in the details; [Is] and [As] still find it.
func BadValueToken(key string, tokenError error) *Error {
	return newError(IDBadValueToken, details{"key": key, "tokenError": toCatalogued(tokenError)})
}

// BadValueTokenType reports a value that is not a token type.
func BadValueTokenType(key string) *Error { return keyError(IDBadValueTokenType, key) }

// BadValueInviteType reports a value that is not an invite type.
func BadValueInviteType(key string) *Error { return keyError(IDBadValueInviteType, key) }

// BadValueIPv4Address reports a value that is not an IPv4 address.
func BadValueIPv4Address(key string) *Error { return keyError(IDBadValueIPv4Address, key) }

// BadValueTooLow reports a value below the limit, the lowest allowed value.
func BadValueTooLow(key string, limit int64) *Error {
	return newError(IDBadValueTooLow, details{"key": key, "limit": limit})
}

// BadValueNotAllowed reports a value other than the allowed ones.
func BadValueNotAllowed(key string, allowed ...string) *Error {
	return newError(IDBadValueNotAllowed, details{"key": key, "allowed": plainStrings(allowed)})
}

// BadValueListNotAllowed reports a list with other items than the allowed ones.
func BadValueListNotAllowed(key string, allowed ...string) *Error {
	return newError(IDBadValueListNotAllowed, details{"key": key, "allowed": plainStrings(allowed)})
}

// BadValueIdentifier reports a value that is not an identifier.
func BadValueIdentifier(key string) *Error { return keyError(IDBadValueIdentifier, key) }

// BadValueIdentifierOccupied reports an identifier or a name that is already in
// use.
func BadValueIdentifierOccupied(key string) *Error {
	return keyError(IDBadValueIdentifierOccupied, key)
}
