package errors

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sampleDetails returns details that the entry accepts, as JSON by key. The
// nested error is inner.
func sampleDetails(t *testing.T, e entry, inner string) map[string]json.RawMessage {
	t.Helper()
	plain := []string{`"text"`, `5`, `["item"]`, `{"type":"kind","id":"i1"}`, `{"accessToken":{}}`}
	d := make(map[string]json.RawMessage, len(e.fields))
	for _, f := range e.fields {
		d[f.key] = firstAccepted(f, plain)
		if f.isNested() {
			d[f.key] = json.RawMessage(inner)
		}
		require.NotNil(t, d[f.key], "no sample for %s of %s", f.key, e.id)
	}
	return d
}

func firstAccepted(f field, samples []string) json.RawMessage {
	for _, sample := range samples {
		if _, ok := f.read(json.RawMessage(sample), 0); ok {
			return json.RawMessage(sample)
		}
	}
	return nil
}

// isNested reports whether the field holds an error.
func (f field) isNested() bool {
	v, ok := f.read(json.RawMessage(`{"id":"tokenRevoked"}`), 0)
	_, isError := v.(*Error)
	return ok && isError
}

// Every error of the catalogue with a nested error repeats its description.
func TestDescriptionsIncludeTheNestedReason(t *testing.T) {
	t.Parallel()
	nesting := 0
	for _, entry := range allErrors() {
		var key string
		for _, f := range entry.fields {
			if f.isNested() {
				key = f.key
			}
		}
		if key == "" {
			continue
		}
		nesting++
		d, err := json.Marshal(sampleDetails(t, entry, `{"id":"badConsumerToken","details":{"tokenError":{"id":"tokenRevoked"}}}`))
		require.NoError(t, err)
		e := mustRead(t, fmt.Sprintf(`{"id":%q,"details":%s}`, entry.id, d))
		require.Nil(t, e.original, "%s", entry.id)
		const reason = ": The consumer token is not valid: The token was revoked."
		assert.True(t, strings.HasSuffix(e.Error(), reason), "%s: %s", entry.id, e.Error())
		assert.NotContains(t, e.Error(), "details")
		assert.Equal(t, e.Description, describe(e.ID, e.Details))
		requireDescription(t, e.Description)
	}
	assert.Equal(t, 17, nesting)
}

// An error keeps all its details, whatever its id.
func TestEveryDetailIsKept(t *testing.T) {
	t.Parallel()
	for _, entry := range allErrors() {
		object := map[string]any{"id": entry.id}
		if len(entry.fields) > 0 {
			object["details"] = sampleDetails(t, entry, `{"id":"tokenRevoked"}`)
		}
		raw, err := json.Marshal(object)
		require.NoError(t, err)
		written, err := json.Marshal(mustRead(t, string(raw)))
		require.NoError(t, err)
		assert.JSONEq(t, string(raw), undescribed(t, written))
	}
}

// A nested error from another program may have any text of any length.
func TestNestedReasonIsBoundedAndPrintable(t *testing.T) {
	t.Parallel()
	hostile := strings.Repeat("é\x00\u202e\u009b\x7f...", 10_000)
	words, err := json.Marshal(hostile)
	require.NoError(t, err)
	odd := mustRead(t, `{"id":"odd","description":`+string(words)+`}`)
	many := make([]string, 10_000)
	e := Unauthorized(BadServiceToken(badDataError(hostile, odd)))
	for range maxNesting {
		e = badDataError(hostile, e)
	}
	for _, e := range []*Error{
		e, Unauthorized(odd), BadValueToken("token", &Error{Description: hostile}), BadServiceToken(BadValueNotAllowed("k", many...)),
		Unauthorized(&Error{Description: "....  .."}), Unauthorized(&Error{}), BadServiceToken(&Error{ID: IDTokenRevoked}),
	} {
		requireDescription(t, e.Description)
		assert.False(t, strings.HasSuffix(e.Description, ".."), "%.60s...%q", e.Description, e.Description[len(e.Description)-20:])
		assert.LessOrEqual(t, len(e.Error()), maxDescription+100)
		assert.NotContains(t, e.Error(), "\u202e")
	}
	for n := range 100 { // around the limit
		requireDescription(t, Forbidden(strings.Repeat("x", maxDescription-n)).Description)
		requireDescription(t, Unauthorized(&Error{Description: strings.Repeat("x", maxDescription-n) + "."}).Description)
	}
	assert.Equal(t, "The service token is not valid.", (&Error{ID: IDBadServiceToken}).description())
	var none *Error
	assert.Equal(t, "The service token is not valid.",
		(&Error{ID: IDBadServiceToken, Details: details{"tokenError": none}}).description())
}

// Descriptions do not include operational errors.
func TestNestedReasonShowsNoCause(t *testing.T) {
	t.Parallel()
	e := Unauthorized(BadServiceToken(fmt.Errorf("dial postgres://user:s3cret@db: %w", TokenRevoked().WithCause(New("s3cret")))))
	assert.EqualError(t, e, "unauthorized: The given authentication is not valid for this operation: "+
		"The service token is not valid: The token was revoked.")
	assert.NotContains(t, Unauthorized(New("s3cret")).Error(), "s3cret")
}

func TestExpiredMatchesOnlyExpiredTokens(t *testing.T) {
	t.Parallel()
	timeCaveat := map[string]any{"type": "time", "validUntil": 5}
	expired := TokenCaveatUnverified(timeCaveat, "the token is good only before 1970")
	read := mustRead(t, `{"id":"unauthorized","details":{"authError":{"id":"badConsumerToken","details":{"tokenError":`+
		`{"id":"tokenCaveatUnverified","details":{"caveat":{"type":"time","validUntil":5}}}}}}}`)
	for name, err := range map[string]error{
		"plain":          expired,
		"nested":         Unauthorized(BadServiceToken(expired)),
		"in a value":     BadValueToken("token", expired),
		"wrapped":        fmt.Errorf("verify: %w", Unauthorized(expired)),
		"joined":         Join(TokenRevoked(), fmt.Errorf("verify: %w", expired)),
		"read from JSON": read,
		"read, wrapped":  fmt.Errorf("call: %w", read),
		"with a cause":   expired.WithCause(New("x")),
	} {
		assert.True(t, Expired(err), name)
	}
	for name, err := range map[string]error{
		"none":              nil,
		"nil":               (*Error)(nil),
		"revoked":           Unauthorized(TokenRevoked()),
		"another caveat":    TokenCaveatUnverified(map[string]any{"type": "ip", "whitelist": []any{"10.0.0.0/8"}}, ""),
		"scope":             TokenCaveatUnverified(map[string]any{"scope": "identityToken"}, ""),
		"required":          TokenTimeCaveatRequired(5),
		"invalid caveat":    BadValueCaveat(timeCaveat),
		"unknown caveat":    TokenCaveatUnknown("time <"),
		"operational":       fmt.Errorf("verify: %w", New("tokenCaveatUnverified")),
		"bare id":           IDTokenCaveatUnverified,
		"malformed details": &Error{ID: IDTokenCaveatUnverified, Details: details{"caveat": "time"}},
		"unrecognized":      mustRead(t, `{"id":"tokenCaveatUnverified","details":{"caveat":{"typ":"time"}}}`),
	} {
		assert.False(t, Expired(err), name)
	}
	assert.False(t, Is(expired, Unauthorized(nil)))
}
