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
