package errors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestErrorsAreDistinguishedByID(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("check the request: %w", Unauthorized(BadConsumerToken(TokenRevoked())))
	for _, id := range []ID{IDUnauthorized, IDBadConsumerToken, IDTokenRevoked} {
		assert.True(t, Is(err, id), "%s", id)
		assert.True(t, errors.Is(err, id), "%s", id)
	}
	assert.False(t, Is(err, IDTokenInvalid))
	assert.False(t, Is(err, ID("")))
	assert.False(t, Is(err, New("tokenRevoked")))
	assert.True(t, Is(badDataError("k", NotFound()), IDNotFound))
	assert.True(t, Is(mustRead(t, `{"id":"errorOnNodes","details":{"error":{"id":"timeout"},"hostnames":[]}}`), IDTimeout))
	assert.EqualError(t, IDTokenRevoked, "tokenRevoked")

	outer, ok := AsType[*Error](err)
	require.True(t, ok)
	assert.Equal(t, IDUnauthorized, outer.ID)
	var same *Error
	require.True(t, As(err, &same))
	assert.Same(t, outer, same)
	assert.True(t, Is(Unwrap(outer), IDBadConsumerToken))
}

func TestErrorPrintsIDAndDescription(t *testing.T) {
	t.Parallel()
	assert.EqualError(t, BadValueString("name"), `badValueString: Bad value: provided "name" must be a string.`)
	assert.EqualError(t, mustRead(t, `{"description":"Odd."}`), "unrecognized error: Odd.")
	assert.EqualError(t, mustRead(t, `{"id":"odd\nid","description":"Odd\nthing."}`), "odd id: Odd thing.")
	assert.EqualError(t, &Error{ID: IDTokenRevoked}, "tokenRevoked: The token was revoked.")
}

func TestNilErrorIsSafe(t *testing.T) {
	t.Parallel()
	var e *Error
	assert.Equal(t, "no error", e.Error())
	assert.Equal(t, 500, e.HTTPStatus())
	assert.False(t, e.Is(IDTokenRevoked))
	assert.False(t, Is(e, IDTokenRevoked))
	assert.NoError(t, e.Unwrap())
	assert.Nil(t, e.WithCause(New("x")))
	written, err := e.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, "null", string(written))
	assert.Error(t, e.UnmarshalJSON([]byte(`{"id":"badToken"}`)))

	assert.Nil(t, From(nil))
	assert.Nil(t, From(e))
	assert.Equal(t, Unauthorized(nil), Unauthorized(e))
	assert.Equal(t, 500, (&Error{}).HTTPStatus())
	assert.Equal(t, 500, (&Error{ID: "errorOnNodes"}).HTTPStatus())
	assert.Equal(t, 500, (&Error{ID: "neverHeardOf"}).HTTPStatus())
	assert.Equal(t, IDInternalServerError, From(fmt.Errorf("wrapped: %w", e)).ID)
	for _, nested := range []*Error{BadServiceToken(nil), BadServiceToken(e), badDataError("k", nil)} {
		assert.True(t, Is(nested, IDInternalServerError), "%v", nested)
	}
}

func TestCauseIsFoundButNotShown(t *testing.T) {
	t.Parallel()
	first, second := New("secret database"), New("secret cache")
	bare := BadServiceToken(TokenRevoked())
	e := bare.WithCause(first)
	assert.NotSame(t, bare, e)
	assert.NotErrorIs(t, bare, first)
	assert.ErrorIs(t, e, first)
	assert.ErrorIs(t, e, IDTokenRevoked)
	assert.Equal(t, bare.Error(), e.Error())

	both := e.WithCause(second).WithCause(nil)
	assert.ErrorIs(t, both, first)
	assert.ErrorIs(t, both, second)
	assert.ErrorIs(t, both, IDTokenRevoked)
	assert.NotErrorIs(t, e, second)

	written, err := json.Marshal(Unauthorized(both))
	require.NoError(t, err)
	assert.NotContains(t, string(written), "secret")
	assert.Same(t, first, TokenInvalid().WithCause(first).Unwrap(), "a lone cause is what errors.Unwrap returns")

	e.Details["added"] = true
	assert.NotContains(t, bare.Details, "added", "the copy shares its details")
}

func TestFromFindsTheCataloguedError(t *testing.T) {
	t.Parallel()
	revoked := TokenRevoked()
	assert.Same(t, revoked, From(revoked))

	lost := From(fmt.Errorf("find the key: %w", context.Canceled))
	assert.Equal(t, IDInternalServerError, lost.ID)
	assert.Nil(t, lost.Details)
	assert.ErrorIs(t, lost, context.Canceled)
	assert.NotContains(t, lost.Error(), "find the key")

	joined := From(Join(context.Canceled, revoked.WithCause(New("x"))))
	assert.Equal(t, IDTokenRevoked, joined.ID)
	assert.Equal(t, revoked.Description, joined.Description)
	assert.ErrorIs(t, joined, context.Canceled)
}

func TestNestedOperationalErrorBecomesInternalServerError(t *testing.T) {
	t.Parallel()
	for _, e := range []*Error{
		Unauthorized(context.Canceled), BadServiceToken(context.Canceled), BadConsumerToken(context.Canceled),
		BadValueToken("token", context.Canceled), badDataError("k", context.Canceled),
	} {
		written, err := json.Marshal(e)
		require.NoError(t, err)
		assert.Contains(t, undescribed(t, written), `{"id":"internalServerError"}`)
		assert.NotContains(t, string(written), "canceled")
		assert.ErrorIs(t, e, context.Canceled)
		assert.ErrorIs(t, e, IDInternalServerError)
	}
}

func TestConstructorsCopyTheirArguments(t *testing.T) {
	t.Parallel()
	keys := []string{"b", "a"}
	missing := MissingAtLeastOneValue(keys...)
	assert.Equal(t, []string{"b", "a"}, keys, "the argument was sorted in place")
	notAllowed := BadValueNotAllowed("k", keys...)
	whitelist := []any{"10.0.0.1/32"}
	caveat := map[string]any{"type": "ip", "whitelist": whitelist}
	unverified := TokenCaveatUnverified(caveat, "")
	badCaveat := BadValueCaveat(caveat)
	layout := map[string][]string{"s": keys}
	missingLayout := Make("timeSeriesCollectionMissingLayout", details{"missingLayout": layout})

	keys[0], whitelist[0], caveat["type"] = "changed", "changed", "changed"
	layout["changed"] = nil
	for _, e := range []*Error{missing, notAllowed, unverified, badCaveat, missingLayout} {
		assert.NotContains(t, fmt.Sprint(e.Details), "changed", "%s", e.ID)
	}
}

func TestValuesWithoutJSONDoNotBreakConstructors(t *testing.T) {
	t.Parallel()
	for _, e := range []*Error{TokenCaveatUnverified(make(chan int), ""), NotAnAccessToken(func() {}), BadValueCaveat(make(chan int))} {
		requireDescription(t, e.Description)
		written, err := json.Marshal(e)
		require.NoError(t, err)
		assert.True(t, json.Valid(written))
	}
}

func TestStandardErrorsAreReexported(t *testing.T) {
	t.Parallel()
	a, b := New("a"), New("b")
	assert.EqualError(t, a, "a")
	joined := Join(a, b)
	assert.ErrorIs(t, joined, a)
	assert.ErrorIs(t, joined, b)
	assert.Same(t, a, Unwrap(fmt.Errorf("wrapped: %w", a)))
	assert.True(t, Is(fmt.Errorf("wrapped: %w", errors.ErrUnsupported), ErrUnsupported))
	_, ok := AsType[*Error](joined)
	assert.False(t, ok)
}
