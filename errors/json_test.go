package errors

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJSONHasMembersInOrder(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(Envelope{Error: Unauthorized(BadServiceToken(TokenRevoked()))})
	require.NoError(t, err)
	assert.Equal(t, `{"error":{"id":"unauthorized","details":{"authError":`+
		`{"id":"badServiceToken","details":{"tokenError":{"id":"tokenRevoked","description":"The token was revoked."}},`+
		`"description":"The service token is not valid: The token was revoked."}},`+
		`"description":"The given authentication is not valid for this operation: The service token is not valid: The token was revoked."}}`, string(body))

	written, err := json.Marshal(&Error{ID: IDTokenRevoked, Details: map[string]any{}})
	require.NoError(t, err)
	assert.Equal(t, `{"id":"tokenRevoked","description":"The token was revoked."}`, string(written))

	_, err = json.Marshal(&Error{ID: IDTokenRevoked, Details: map[string]any{"x": make(chan int)}})
	assert.Error(t, err)
}

func TestNullIsNoError(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(Envelope{})
	require.NoError(t, err)
	assert.Equal(t, `{"error":null}`, string(body))
	read := Envelope{Error: TokenRevoked()}
	require.NoError(t, json.Unmarshal(body, &read))
	assert.Nil(t, read.Error)

	e := TokenRevoked()
	require.NoError(t, e.UnmarshalJSON([]byte(" null ")))
	assert.Equal(t, TokenRevoked(), e)
}

// TestKnownErrorsAreReadLeniently covers what either generation of the API and
// its proxies may add or leave out.
func TestKnownErrorsAreReadLeniently(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ object, want string }{
		{`{"id":"tokenRevoked","description":"Other words.","ctx":{"line":5},"x":1}`, `{"id":"tokenRevoked"}`},
		{`{"id":"tokenRevoked","details":null}`, `{"id":"tokenRevoked"}`},
		{`{"id":"tokenRevoked","details":{}}`, `{"id":"tokenRevoked"}`},
		{`{"id":"tokenRevoked","details":[5]}`, `{"id":"tokenRevoked"}`},
		{` { "id" : "badValueTooLow" , "details" : { "limit" : 5 , "key" : "k" , "x" : null } } `,
			`{"id":"badValueTooLow","details":{"key":"k","limit":5}}`},
		{`{"id":"badValueTooLow","details":{"key":"k","limit":-9223372036854775808}}`,
			`{"id":"badValueTooLow","details":{"key":"k","limit":-9223372036854775808}}`},
		{`{"id":"unauthorized","details":{"authError":null}}`, `{"id":"unauthorized","details":{"authError":null}}`},
		{`{"id":"unauthorized","details":{"authError": null }}`, `{"id":"unauthorized","details":{"authError":null}}`},
		{`{"id":"unauthorized","details":{}}`, `{"id":"unauthorized"}`},
		{`{"id":"unauthorized","details":null}`, `{"id":"unauthorized"}`},
		{`{"id":"internalServerError","details":{"reference":null}}`, `{"id":"internalServerError"}`},
		{`{"id":"badValueName","details":{"key":null},"ctx":null}`, `{"id":"badValueName"}`},
		{`{"id":"badData","details":{"key":"k","hint":null}}`, `{"id":"badData","details":{"key":"k"}}`},
		{`{"id":"badData","details":{"key":"k","specificError":null}}`, `{"id":"badData","details":{"key":"k"}}`},
		{`{"id":"forbidden","details":{"hint":null}}`, `{"id":"forbidden"}`},
		{`{"id":"forbiddenWithHint","details":{"hint":"h"}}`, `{"id":"forbiddenWithHint","details":{"hint":"h"}}`},
		{`{"id":"atmOpenfaasQueryFailed","details":{"reason":null}}`, `{"id":"atmOpenfaasQueryFailed"}`},
		{`{"id":"atmOpenfaasQueryFailed","details":{"reason":"r"}}`, `{"id":"atmOpenfaasQueryFailed","details":{"reason":"r"}}`},
		{`{"id":"atmDataTypeUnverified","details":{"value":null,"expType":"t"}}`,
			`{"id":"atmDataTypeUnverified","details":{"value":null,"expType":"t"}}`},
		{`{"id":"atmDataTypeUnverified","details":{"value":[1.0,1e3,-0,12345678901234567890,{"a":0.10}],"expType":"t"}}`,
			`{"id":"atmDataTypeUnverified","details":{"value":[1.0,1e3,-0,12345678901234567890,{"a":0.10}],"expType":"t"}}`},
		{`{"id":"notAnAccessToken","details":{"received":{"identityToken":{}}}}`,
			`{"id":"notAnAccessToken","details":{"received":{"identityToken":{}}}}`},
	} {
		e := mustRead(t, c.object)
		assert.Nil(t, e.original, "%s is not recognized", c.object)
		written, err := json.Marshal(e)
		require.NoError(t, err)
		assert.JSONEq(t, c.want, undescribed(t, written))
	}
}

// TestDetailsOfTheLaterGenerationAreKept covers every id whose details differ
// between the generations of the API.
func TestDetailsOfTheLaterGenerationAreKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, details, description string }{
		{"noConnectionToOnezone", `{"zoneDomain":"z.example.org"}`, `There is no connection to the Onezone "z.example.org".`},
		{"noConnectionToOnezone", ``, `There is no connection to Onezone.`},
		{"noConnectionToPeerOneprovider", `{"providerId":"p1","providerDomain":"p.example.org"}`,
			`There is no connection to the peer Oneprovider "p.example.org" with the id "p1".`},
		{"noConnectionToPeerOneprovider", `{"providerId":"p1"}`, `There is no connection to the peer Oneprovider with the id "p1".`},
		{"noConnectionToPeerOneprovider", `{"providerDomain":"p.example.org"}`, `There is no connection to the peer Oneprovider "p.example.org".`},
		{"noConnectionToPeerOneprovider", ``, `There is no connection to the peer Oneprovider.`},
		{"noConnectionToClusterNode", `{"nodeName":"node1"}`, `There is no connection to the node "node1" of the cluster.`},
		{"noConnectionToClusterNode", ``, `There is no connection to a node of the cluster.`},
		{"forbiddenWithHint", `{"hint":"no"}`, `You are not authorized to perform this operation: no.`},
		{"forbidden", ``, `You are not authorized to perform this operation.`},
		{"unauthorized", `{"authError":null}`, `The operation needs authentication. Provide a token or other credentials.`},
		{"internalServerError", `{"reference":"r1"}`, ``},
		{"badValueName", `{"key":"name"}`, ``},
		{"badData", `{"key":"k","hint":"h"}`, ``},
		{"badData", `{"key":"k","specificError":{"id":"tokenRevoked"}}`, ``},
		{"cannotDeleteEntity", `{"entityType":"space","entityId":"s1"}`, ``},
		{"atmOpenfaasQueryFailed", `{"reason":"r"}`, ``},
		{"fileAllocation", `{"actualSize":1,"targetSize":2}`, ``},
		{"notSupportedForSymlinks", ``, `The operation is not possible on symbolic links.`},
	} {
		object := `{"id":"` + c.id + `"}`
		if c.details != "" {
			object = `{"id":"` + c.id + `","details":` + c.details + `}`
		}
		e := mustRead(t, strings.TrimSuffix(object, "}")+`,"ctx":{"line":1,"service":null},"description":"Other words."}`)
		require.Nil(t, e.original, "%s is not recognized", object)
		written, err := json.Marshal(e)
		require.NoError(t, err)
		assert.JSONEq(t, object, undescribed(t, written))
		if c.description != "" {
			assert.Equal(t, c.description, e.Description)
		}
	}
	assert.Equal(t, 400, mustRead(t, `{"id":"notSupportedForSymlinks"}`).HTTPStatus())
	assert.Equal(t, 503, mustRead(t, `{"id":"noConnectionToClusterNode","details":{"nodeName":"n"}}`).HTTPStatus())
	// Here null means missing, and another type makes the error unrecognized.
	written, err := json.Marshal(mustRead(t, `{"id":"noConnectionToOnezone","details":{"zoneDomain":null}}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"noConnectionToOnezone"}`, undescribed(t, written))
	assert.NotNil(t, mustRead(t, `{"id":"noConnectionToOnezone","details":{"zoneDomain":5}}`).original)
}

func TestNumbersAreWrittenAsTheyWereRead(t *testing.T) {
	t.Parallel()
	const numbers = `[1.0,1e3,-0,-7,9223372036854775807,12345678901234567890,0.10]`
	e := mustRead(t, `{"id":"badVersion","details":{"supportedVersions":`+numbers+`}}`)
	written, err := json.Marshal(e)
	require.NoError(t, err)
	assert.Contains(t, string(written), numbers)
	versions, _ := e.Details["supportedVersions"].([]any)
	require.Len(t, versions, 7)
	assert.Equal(t, int64(-7), versions[3])
	assert.Equal(t, json.Number("1.0"), versions[0])
}

func TestUnrecognizedErrorsAreKeptUnchanged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		object string
		id     ID
	}{
		{`{"id":"neverHeardOf","details":{"b":1,"a":[1.0]},"description":"Words of old.","ctx":{"line":12345678901234567890}}`, "neverHeardOf"},
		{`{"id":"TokenRevoked","description":"The case of ids matters."}`, "TokenRevoked"},
		{`{"ID":"tokenRevoked","description":"The case of keys matters."}`, ""},
		{`{"id":5,"description":"x"}`, ""},
		{`{"id":null,"description":"x"}`, ""},
		{`{"description":"x"}`, ""},
		{`{"id":"","description":null}`, ""},
		{`{"id":"badValueString","description":"x"}`, IDBadValueString},
		{`{"id":"badValueString","details":null,"description":"x"}`, IDBadValueString},
		{`{"id":"badValueString","details":{},"description":"x"}`, IDBadValueString},
		{`{"id":"badValueString","details":[],"description":"x"}`, IDBadValueString},
		{`{"id":"badValueString","details":{"key":5},"description":"x"}`, IDBadValueString},
		{`{"id":"badValueString","details":{"key":null},"description":"x"}`, IDBadValueString},
		{`{"id":"badValueString","details":{"Key":"k"},"description":"x"}`, IDBadValueString},
		{`{"id":"badValueTooLow","details":{"key":"k","limit":"5"},"description":"x"}`, IDBadValueTooLow},
		{`{"id":"badValueTooLow","details":{"key":"k","limit":5.0},"description":"x"}`, IDBadValueTooLow},
		{`{"id":"badValueTooLow","details":{"key":"k","limit":9223372036854775808},"description":"x"}`, IDBadValueTooLow},
		{`{"id":"badValueNotAllowed","details":{"key":"k","allowed":{}},"description":"x"}`, IDBadValueNotAllowed},
		{`{"id":"missingAtLeastOneValue","details":{"keys":["a",5]},"description":"x"}`, IDMissingAtLeastOneValue},
		{`{"id":"missingAtLeastOneValue","details":{"keys":"a"},"description":"x"}`, IDMissingAtLeastOneValue},
		{`{"id":"badMessage","details":{"message":[]},"description":"x"}`, "badMessage"},
		{`{"id":"tokenCaveatUnverified","details":{"caveat":{}},"description":"x"}`, IDTokenCaveatUnverified},
		{`{"id":"tokenCaveatUnverified","details":{"caveat":{"scope":"all"}},"description":"x"}`, IDTokenCaveatUnverified},
		{`{"id":"internalServerError","details":{"reference":5},"description":"x"}`, IDInternalServerError},
		{`{"id":"badValueToken","details":{"key":"k","tokenError":null},"description":"x"}`, IDBadValueToken},
		{`{"id":"badValueToken","details":{"key":"k","tokenError":"badToken"},"description":"x"}`, IDBadValueToken},
		{`{"id":"unauthorized","details":{"authError":[]},"description":"x"}`, IDUnauthorized},
		{`{"id":"unauthorized","details":5,"description":"x"}`, IDUnauthorized},
		{`{"id":"tokenCaveatUnverified","details":{"caveat":"time < 5"},"description":"x"}`, IDTokenCaveatUnverified},
		{`{"id":"notAnAccessToken","details":{"received":{}},"description":"x"}`, IDNotAnAccessToken},
		{`{"id":"notAnAccessToken","details":{"received":{"accessToken":5}},"description":"x"}`, IDNotAnAccessToken},
		{`{"id":"notAnAccessToken","details":{"received":"accessToken"},"description":"x"}`, IDNotAnAccessToken},
		{`{"id":"tokenServiceForbidden","details":{"service":{"type":"op_worker"}},"description":"x"}`, IDTokenServiceForbidden},
		{`{"id":"tokenServiceForbidden","details":{"service":{"type":"op_worker","id":5}},"description":"x"}`, IDTokenServiceForbidden},
		{`{"id":"tokenServiceForbidden","details":{"service":{"id":"p"}},"description":"x"}`, IDTokenServiceForbidden},
	} {
		e := mustRead(t, c.object)
		assert.Equal(t, c.id, e.ID, "%s", c.object)
		assert.Nil(t, e.Details, "%s", c.object)
		assert.Equal(t, 500, e.HTTPStatus(), "%s", c.object)
		assert.NotEmpty(t, e.Description, "%s", c.object)
		assert.True(t, Is(e, c.id), "%s", c.object)
		written, err := json.Marshal(e)
		require.NoError(t, err)
		assert.Equal(t, c.object, strings.ReplaceAll(string(written), `\u003c`, "<"))
		written, err = json.Marshal(Unauthorized(e.WithCause(New("x"))))
		require.NoError(t, err)
		assert.Contains(t, strings.ReplaceAll(string(written), `\u003c`, "<"), c.object, "nested and copied")
	}
}

func TestUnrecognizedErrorsGetAMissingDescription(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ object, want string }{
		{`{}`, `{"description":"The operation failed with an unknown error."}`},
		{`{"id":"odd"}`, `{"id":"odd","description":"The operation failed with the error \"odd\"."}`},
		{` {"id":"odd", "x":{"a":"}"} } `,
			`{"id":"odd","x":{"a":"}"},"description":"The operation failed with the error \"odd\"."}`},
	} {
		written, err := json.Marshal(mustRead(t, c.object))
		require.NoError(t, err)
		assert.Equal(t, c.want, string(written))
	}
	assert.Equal(t, "Words of old.", mustRead(t, `{"id":"odd","description":"Words\u0000of old."}`).Description)
}

func TestOriginalIsNotShared(t *testing.T) {
	t.Parallel()
	data := []byte(`{"id":"odd","description":"x"}`)
	var e Error
	require.NoError(t, e.UnmarshalJSON(data))
	copy(data, `{"id":"bad"`)
	first, err := e.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, `{"id":"odd","description":"x"}`, string(first))
	copy(first, `{"id":"bad"`)
	second, err := e.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, `{"id":"odd","description":"x"}`, string(second))
}

func TestOnlyErrorObjectsAreDecoded(t *testing.T) {
	t.Parallel()
	for _, data := range []string{``, `5`, `"badToken"`, `[]`, `true`, `{`, `{"id":"badToken"}x`} {
		e := BadGRI()
		assert.Error(t, e.UnmarshalJSON([]byte(data)), "%s", data)
		assert.Equal(t, BadGRI(), e, "changed by %s", data)
	}
	huge := `{"id":"badToken","x":"` + strings.Repeat("x", maxJSON) + `"}`
	assert.ErrorContains(t, new(Error).UnmarshalJSON([]byte(huge)), "exceed")
	_, err := (&Error{original: []byte("5")}).MarshalJSON()
	assert.Error(t, err)
}

func TestNestingIsLimited(t *testing.T) {
	t.Parallel()
	nest := func(depth int) string {
		return strings.Repeat(`{"id":"badServiceToken","details":{"tokenError":`, depth) +
			`{"id":"tokenRevoked"}` + strings.Repeat(`}}`, depth)
	}
	assert.True(t, Is(mustRead(t, nest(maxNesting)), IDTokenRevoked))
	for _, depth := range []int{maxNesting + 1, 1000} {
		e := mustRead(t, nest(depth))
		assert.False(t, Is(e, IDTokenRevoked))
		written, err := json.Marshal(e)
		require.NoError(t, err)
		assert.Equal(t, depth+1, strings.Count(string(written), `"id"`), "kept whole")
	}
	// encoding/json has its own limit, past which nothing is kept.
	assert.Error(t, new(Error).UnmarshalJSON([]byte(nest(10_000))))
}

func FuzzErrorJSON(f *testing.F) {
	seeds := []string{
		`null`, `{}`, `5`, `{"id":"odd","description":null}`, ` {"id":"odd" , "x":"\ud800<" } `, `{"id":"badToken","id":"odd"}`,
		`{"id":"unauthorized","details":{"authError":null}}`,
		`{"id":"unauthorized","details":{"authError":{"id":"badServiceToken","details":{"tokenError":{"id":"odd"}}}}}`,
		`{"id":"badValueTooLow","details":{"key":"k","limit":1e3}}`,
		`{"id":"badVersion","details":{"supportedVersions":[1.0,-0,null,{"a":[true]}]}}`,
	}
	for _, c := range constructed() {
		seeds = append(seeds, c.json)
	}
	if len(seeds) < 100 {
		f.Fatalf("only %d seeds", len(seeds))
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second Error
		if err := json.Unmarshal(data, &first); err != nil {
			return
		}
		if first.Error() == "" || len(first.Error()) > 3*maxDescription {
			t.Fatalf("bad words: %q", first.Error())
		}
		if status := first.HTTPStatus(); status < 400 || status > 599 {
			t.Fatalf("status %d", status)
		}
		once, err := json.Marshal(&first)
		if err != nil {
			t.Fatalf("write: %v", err)
		}
		if err := json.Unmarshal(once, &second); err != nil {
			t.Fatalf("read %s back: %v", once, err)
		}
		twice, err := json.Marshal(&second)
		if err != nil {
			t.Fatalf("write again: %v", err)
		}
		if string(once) != string(twice) {
			t.Fatalf("unstable:\n%s\n%s", once, twice)
		}
		if first.ID != second.ID || first.HTTPStatus() != second.HTTPStatus() || first.Error() != second.Error() {
			t.Fatalf("changed:\n%v\n%v", &first, &second)
		}
	})
}
