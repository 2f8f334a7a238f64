package errors

import "encoding/json"

// Errors of values that have rules of their own, such as names, and of larger
// documents.
const (
	IDBadValueFilePath ID = "badValueFilePath"
	IDBadValueFullName ID = "badValueFullName"
	IDBadValueUsername ID = "badValueUsername"
	IDBadValuePassword ID = "badValuePassword"
	IDBadValueName     ID = "badValueName"
	IDBadValueDomain   ID = "badValueDomain"
	IDBadValueCaveat   ID = "badValueCaveat"
	IDBadGRI           ID = "badGRI"
)

// BadValueFilePath reports an invalid file path.
func BadValueFilePath() *Error { return newError(IDBadValueFilePath, nil) }

// BadValueFullName reports a full name that breaks the rules for full names.
func BadValueFullName() *Error { return newError(IDBadValueFullName, nil) }

// BadValueUsername reports a user name that breaks the rules for user names.
func BadValueUsername() *Error { return newError(IDBadValueUsername, nil) }

// BadValuePassword reports a password that breaks the rules for passwords.
func BadValuePassword() *Error { return newError(IDBadValuePassword, nil) }

// BadValueName reports a name that breaks the rules for names.
func BadValueName() *Error { return newError(IDBadValueName, nil) }

// BadValueDomain reports an invalid domain.
func BadValueDomain() *Error { return newError(IDBadValueDomain, nil) }

// BadValueCaveat reports a value that is not a valid caveat. The details hold
// the value itself if it is an object or a string in JSON, and its JSON text
// otherwise.
func BadValueCaveat(caveat any) *Error {
	shown := plainJSON(caveat)
	switch shown.(type) {
	case string, map[string]any:
	default:
		// Plain JSON always has a JSON form.
		raw, _ := json.Marshal(shown)
		shown = string(raw)
	}
	return newError(IDBadValueCaveat, details{"caveat": shown})
}

// BadGRI reports a graph resource identifier that is not valid.
func BadGRI() *Error { return newError(IDBadGRI, nil) }
