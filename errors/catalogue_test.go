package errors

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// catalogued is an error with the expected status and JSON without
// descriptions.
type catalogued struct {
	err    *Error
	status int
	json   string
}

// constructed lists a result of every constructor, and of Make for the errors
// of Onezone without one. The ids and the keys are literal, so that a mistake
// in the constants or in the catalogue is noticed.
func constructed() []catalogued {
	cases := slices.Concat(constructedGeneral(), constructedToken(), constructedData(), constructedEntity())
	for _, key := range []struct {
		id  string
		new func(string) *Error
	}{
		{"missingRequiredValue", MissingRequiredValue},
		{"badData", BadData},
		{"badValueEmpty", BadValueEmpty},
		{"badValueBoolean", BadValueBoolean},
		{"badValueString", BadValueString},
		{"badValueListOfStrings", BadValueListOfStrings},
		{"badValueInteger", BadValueInteger},
		{"badValueJSON", BadValueJSON},
		{"badValueTokenType", BadValueTokenType},
		{"badValueInviteType", BadValueInviteType},
		{"badValueIPv4Address", BadValueIPv4Address},
		{"badValueIdentifier", BadValueIdentifier},
		{"badValueIdentifierOccupied", BadValueIdentifierOccupied},
	} {
		cases = append(cases, catalogued{key.new("a key"), 400, `{"id":"` + key.id + `","details":{"key":"a key"}}`})
	}
	for _, id := range []ID{
		"badValueFloat",
		"badValueXML",
		"badValueListOfIPv4Addresses",
		"badValueIdNotFound",
		"badValueAmbiguousId",
		"badValueOctal",
		"badValueName",
	} {
		cases = append(cases, catalogued{Make(id, details{"key": "a key"}), 400, `{"id":"` + string(id) + `","details":{"key":"a key"}}`})
	}
	return cases
}

func constructedGeneral() []catalogued {
	return []catalogued{
		{Make("badMessage", details{"message": "x"}), 400, `{"id":"badMessage","details":{"message":"x"}}`},
		{Make("badMessage", details{"message": map[string]int{"x": 1}}), 400, `{"id":"badMessage","details":{"message":{"x":1}}}`},
		{InternalServerError(""), 500, `{"id":"internalServerError"}`},
		{InternalServerError("r"), 500, `{"id":"internalServerError","details":{"reference":"r"}}`},
		{Make("notImplemented", nil), 501, `{"id":"notImplemented"}`},
		{NotSupported(), 400, `{"id":"notSupported"}`},
		{ServiceUnavailable(), 503, `{"id":"serviceUnavailable"}`},
		{Timeout(), 503, `{"id":"timeout"}`},
		{TemporaryFailure(), 503, `{"id":"temporaryFailure"}`},
		{Make("externalServiceOperationFailed", details{"serviceName": "s"}), 503, `{"id":"externalServiceOperationFailed","details":{"serviceName":"s"}}`},
		{NotFound(), 404, `{"id":"notFound"}`},
		{AlreadyExists(), 409, `{"id":"alreadyExists"}`},
		{Make("fileAccess", details{"path": "/f", "errno": "eacces"}), 500, `{"id":"fileAccess","details":{"path":"/f","errno":"eacces"}}`},
		{LimitReached(5, "tokens"), 400, `{"id":"limitReached","details":{"limit":5,"resourceDescription":"tokens"}}`},
		{Make("unregisteredOneprovider", nil), 503, `{"id":"unregisteredOneprovider"}`},
		{Make("noConnectionToOnezone", nil), 503, `{"id":"noConnectionToOnezone"}`},
		{Make("noConnectionToPeerOneprovider", nil), 503, `{"id":"noConnectionToPeerOneprovider"}`},
		{Make("noConnectionToClusterNode", nil), 503, `{"id":"noConnectionToClusterNode"}`},
		{Make("posix", details{"errno": "enoent"}), 400, `{"id":"posix","details":{"errno":"enoent"}}`},

		{Unauthorized(nil), 401, `{"id":"unauthorized"}`},
		{Unauthorized(TokenInvalid()), 401, `{"id":"unauthorized","details":{"authError":{"id":"tokenInvalid"}}}`},
		{Forbidden(""), 403, `{"id":"forbidden"}`},
		{Forbidden("h"), 403, `{"id":"forbidden","details":{"hint":"h"}}`},
		{UserBlocked(), 400, `{"id":"userBlocked"}`},
		{BadBasicCredentials(), 400, `{"id":"badBasicCredentials"}`},
		{BasicAuthNotSupported(), 400, `{"id":"basicAuthNotSupported"}`},
		{Make("basicAuthDisabled", nil), 400, `{"id":"basicAuthDisabled"}`},
		{BadIdpAccessToken("egi"), 400, `{"id":"badIdpAccessToken","details":{"idp":"egi"}}`},

		{Make("expectedHandshakeMessage", nil), 400, `{"id":"expectedHandshakeMessage"}`},
		{Make("handshakeAlreadyDone", nil), 400, `{"id":"handshakeAlreadyDone"}`},
		{Make("badVersion", details{"supportedVersions": []int{3, 4}}), 400, `{"id":"badVersion","details":{"supportedVersions":[3,4]}}`},
		{BadGRI(), 400, `{"id":"badGRI"}`},
		{Make("rpcUndefined", nil), 400, `{"id":"rpcUndefined"}`},
		{Make("notSubscribable", nil), 400, `{"id":"notSubscribable"}`},
	}
}

func constructedToken() []catalogued {
	identity := map[string]any{"identityToken": struct{}{}}
	invite := map[string]any{"inviteToken": map[string]any{"inviteType": "userJoinGroup", "groupId": "g"}}
	return []catalogued{
		{BadToken(""), 400, `{"id":"badToken"}`},
		{BadToken("it is empty"), 400, `{"id":"badToken"}`},
		{TokenTooLarge(8), 400, `{"id":"tokenTooLarge","details":{"limit":8}}`},
		{BadServiceToken(TokenInvalid()), 400, `{"id":"badServiceToken","details":{"tokenError":{"id":"tokenInvalid"}}}`},
		{BadConsumerToken(TokenInvalid()), 400, `{"id":"badConsumerToken","details":{"tokenError":{"id":"tokenInvalid"}}}`},
		{TokenInvalid(), 400, `{"id":"tokenInvalid"}`},
		{TokenRevoked(), 400, `{"id":"tokenRevoked"}`},
		{NotAnAccessToken(identity), 400, `{"id":"notAnAccessToken","details":{"received":{"identityToken":{}}}}`},
		{NotAnIdentityToken(invite), 400,
			`{"id":"notAnIdentityToken","details":{"received":{"inviteToken":{"inviteType":"userJoinGroup","groupId":"g"}}}}`},
		{NotAnInviteToken("any", json.RawMessage(`{"accessToken":{}}`)), 400,
			`{"id":"notAnInviteToken","details":{"expectedInviteType":"any","received":{"accessToken":{}}}}`},
		{TokenCaveatUnknown("foo = bar"), 400, `{"id":"tokenCaveatUnknown","details":{"caveat":"foo = bar"}}`},
		{TokenCaveatUnverified(json.RawMessage(`{"type":"time","validUntil":5}`), ""), 400,
			`{"id":"tokenCaveatUnverified","details":{"caveat":{"type":"time","validUntil":5}}}`},
		{TokenCaveatUnverified(map[string]string{"scope": "identityToken"}, "identity only"), 400,
			`{"id":"tokenCaveatUnverified","details":{"caveat":{"scope":"identityToken"}}}`},
		{TokenTimeCaveatRequired(3600), 400, `{"id":"tokenTimeCaveatRequired","details":{"maxTtl":3600}}`},
		{TokenSubjectInvalid(), 400, `{"id":"tokenSubjectInvalid"}`},
		{TokenServiceForbidden(map[string]string{"type": "op_worker", "id": "p"}), 400,
			`{"id":"tokenServiceForbidden","details":{"service":{"type":"op_worker","id":"p"}}}`},
		{TokenSessionInvalid(), 400, `{"id":"tokenSessionInvalid"}`},
		{InviteTokenSubjectNotAuthorized(), 400, `{"id":"inviteTokenSubjectNotAuthorized"}`},
		{InviteTokenUsageLimitReached(), 400, `{"id":"inviteTokenUsageLimitReached"}`},
		{InviteTokenConsumerInvalid(map[string]any{"type": "nobody", "id": nil}), 400,
			`{"id":"inviteTokenConsumerInvalid","details":{"consumer":{"type":"nobody","id":null}}}`},
		{InviteTokenTargetIDInvalid("t"), 400, `{"id":"inviteTokenTargetIdInvalid","details":{"id":"t"}}`},
	}
}

func constructedData() []catalogued {
	return []catalogued{
		{MalformedData(), 400, `{"id":"malformedData"}`},
		{MissingAtLeastOneValue("b", "a"), 400, `{"id":"missingAtLeastOneValue","details":{"keys":["a","b"]}}`},
		{BadDataHint("k", "h"), 400, `{"id":"badData","details":{"key":"k","hint":"h"}}`},
		{badDataError("k", NotFound()), 400, `{"id":"badData","details":{"key":"k","specificError":{"id":"notFound"}}}`},
		{Make("badValueTextTooLarge", details{"key": "k", "limit": 5}), 400, `{"id":"badValueTextTooLarge","details":{"key":"k","limit":5}}`},
		{BadValueToken("k", TokenInvalid()), 400,
			`{"id":"badValueToken","details":{"key":"k","tokenError":{"id":"tokenInvalid"}}}`},
		{BadValueTooLow("k", 1), 400, `{"id":"badValueTooLow","details":{"key":"k","limit":1}}`},
		{Make("badValueTooHigh", details{"key": "k", "limit": 9}), 400, `{"id":"badValueTooHigh","details":{"key":"k","limit":9}}`},
		{Make("badValueNotInRange", details{"key": "k", "low": 1, "high": 9}), 400, `{"id":"badValueNotInRange","details":{"key":"k","low":1,"high":9}}`},
		{BadValueNotAllowed("k", "b", "a"), 400, `{"id":"badValueNotAllowed","details":{"key":"k","allowed":["b","a"]}}`},
		{BadValueListNotAllowed("k"), 400, `{"id":"badValueListNotAllowed","details":{"key":"k","allowed":[]}}`},

		{BadValueFilePath(), 400, `{"id":"badValueFilePath"}`},
		{BadValueFullName(), 400, `{"id":"badValueFullName"}`},
		{BadValueUsername(), 400, `{"id":"badValueUsername"}`},
		{BadValuePassword(), 400, `{"id":"badValuePassword"}`},
		{Make("badValueEmail", nil), 400, `{"id":"badValueEmail"}`},
		{BadValueName(), 400, `{"id":"badValueName"}`},
		{BadValueDomain(), 400, `{"id":"badValueDomain"}`},
		{Make("badValueSubdomain", nil), 400, `{"id":"badValueSubdomain"}`},
		{BadValueCaveat(map[string]string{"type": "x"}), 400, `{"id":"badValueCaveat","details":{"caveat":{"type":"x"}}}`},
		{BadValueCaveat("x"), 400, `{"id":"badValueCaveat","details":{"caveat":"x"}}`},
		{BadValueCaveat([]any{1.5, nil}), 400, `{"id":"badValueCaveat","details":{"caveat":"[1.5,null]"}}`},
		{BadValueCaveat(nil), 400, `{"id":"badValueCaveat","details":{"caveat":"null"}}`},
		{Make("badValueQoSParameters", nil), 400, `{"id":"badValueQoSParameters"}`},
		{Make("timeSeriesCollectionMissingLayout", details{"missingLayout": map[string][]string{"s": {"m"}}}), 400,
			`{"id":"timeSeriesCollectionMissingLayout","details":{"missingLayout":{"s":["m"]}}}`},
		{Make("timeSeriesCollectionTooManyMetrics", details{"limit": 7}), 400, `{"id":"timeSeriesCollectionTooManyMetrics","details":{"limit":7}}`},
		{conflicting("s", "m", map[string]int{"a": 1}, map[string]int{"a": 2}), 400,
			`{"id":"badValueTimeSeriesCollectionConflictingMetricConfig","details":{"timeSeriesName":"s","metricName":"m",
			  "existingMetricConfig":{"a":1},"conflictingMetricConfig":{"a":2}}}`},
		{Make("badGuiPackage", nil), 400, `{"id":"badGuiPackage"}`},
		{Make("guiPackageTooLarge", nil), 400, `{"id":"guiPackageTooLarge"}`},
		{Make("guiPackageUnverified", details{"shaSum": "ab"}), 400, `{"id":"guiPackageUnverified","details":{"shaSum":"ab"}}`},
		{Make("invalidQosExpression", details{"reason": "r"}), 400, `{"id":"invalidQosExpression","details":{"reason":"r"}}`},
		{Make("illegalSupportStageTransition", details{"currentProviderStage": "p", "currentStorageStage": "s"}), 400,
			`{"id":"illegalSupportStageTransition","details":{"currentProviderStage":"p","currentStorageStage":"s"}}`},
	}
}

func constructedEntity() []catalogued {
	return []catalogued{
		{Make("subdomainDelegationNotSupported", nil), 400, `{"id":"subdomainDelegationNotSupported"}`},
		{Make("subdomainDelegationDisabled", nil), 400, `{"id":"subdomainDelegationDisabled"}`},
		{Make("spaceMarketplaceDisabled", nil), 400, `{"id":"spaceMarketplaceDisabled"}`},
		{Make("protectedGroup", nil), 403, `{"id":"protectedGroup"}`},
		{Make("atmLambdaInUse", details{"atmWorkflowSchemas": []string{"w"}}), 403, `{"id":"atmLambdaInUse","details":{"atmWorkflowSchemas":["w"]}}`},
		{Make("cannotRemoveLastOwner", details{"entityType": "od_space", "entityId": "s"}), 400,
			`{"id":"cannotRemoveLastOwner","details":{"entityType":"od_space","entityId":"s"}}`},
		{Make("cannotDeleteEntity", details{"entityType": "od_space", "entityId": "s"}), 500,
			`{"id":"cannotDeleteEntity","details":{"entityType":"od_space","entityId":"s"}}`},
		{Make("cannotAddRelationToSelf", nil), 400, `{"id":"cannotAddRelationToSelf"}`},
		{Make("relationDoesNotExist", relation("od_user", "u", "od_group", "g")), 400, `{"id":"relationDoesNotExist",
			"details":{"childType":"od_user","childId":"u","parentType":"od_group","parentId":"g"}}`},
		{Make("relationAlreadyExists", relation("user", "u", "group", "g")), 409, `{"id":"relationAlreadyExists",
			"details":{"childType":"user","childId":"u","parentType":"group","parentId":"g"}}`},
		{Make("spaceAlreadySupportedWithImportedStorage", details{"spaceId": "s", "storageId": "t"}), 409,
			`{"id":"spaceAlreadySupportedWithImportedStorage","details":{"spaceId":"s","storageId":"t"}}`},
		{Make("cannotDeleteNonEmptyHandleService", nil), 400, `{"id":"cannotDeleteNonEmptyHandleService"}`},
	}
}

// relation returns the details of an error about a relation.
func relation(childType, childID, parentType, parentID string) details {
	return details{"childType": childType, "childId": childID, "parentType": parentType, "parentId": parentID}
}

// conflicting returns the error of a metric that is configured in two ways.
func conflicting(series, metric string, existing, other any) *Error {
	return Make("badValueTimeSeriesCollectionConflictingMetricConfig", details{
		"timeSeriesName": series, "metricName": metric,
		"existingMetricConfig": existing, "conflictingMetricConfig": other,
	})
}

func TestMakeReportsWhatIsNotInTheCatalogue(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]*Error{
		"unknown id":     Make("noSuchError", nil),
		"missing detail": Make("posix", nil),
		"another type":   Make("posix", details{"errno": 2}),
		"no object":      Make("posix", "enoent"),
		"no JSON":        Make("posix", details{"errno": make(chan int)}),
		"no id":          Make("", nil),
	} {
		assert.Equal(t, IDInternalServerError, e.ID, name)
		assert.ErrorContains(t, e.Unwrap(), "make the error", name)
		assert.NotContains(t, e.Error(), "make the error", "%s: a mistake in the program is not shown to clients", name)
	}
	nested := Make("atmLaneEmpty", details{"atmLaneSchemaId": "lane"})
	e := Make("badData", details{"key": "k", "specificError": nested})
	assert.ErrorIs(t, e, ID("atmLaneEmpty"))
}

func TestConstructorsMakeTheCataloguedError(t *testing.T) {
	t.Parallel()
	for _, c := range constructed() {
		written, err := json.Marshal(c.err)
		require.NoError(t, err)
		assert.JSONEq(t, c.json, undescribed(t, written))
		assert.Equal(t, c.status, c.err.HTTPStatus(), "%s", c.err.ID)
		requireDescription(t, c.err.Description)
		assert.NotContains(t, c.err.Description, string(c.err.ID), "%s has no sentence of its own", c.err.ID)

		var read Error
		require.NoError(t, json.Unmarshal(written, &read))
		assert.Nil(t, read.original, "%s is not recognized", written)
		assert.Equal(t, c.err.ID, read.ID)
		assert.Equal(t, c.err.Details, read.Details)
		assert.Equal(t, c.status, read.HTTPStatus())
	}
}

func TestEveryErrorOfOnezoneCanBeMade(t *testing.T) {
	t.Parallel()
	made := make(map[ID]bool)
	for _, c := range constructed() {
		made[c.err.ID] = true
	}
	listed := make(map[ID]bool)
	for _, e := range parseEntries(onezoneErrors) {
		listed[e.id] = true
	}
	delete(listed, "forbiddenWithHint") // read, but never constructed
	assert.Equal(t, listed, made)
}

func TestCatalogueTablesAreConsistent(t *testing.T) {
	t.Parallel()
	seen := make(map[ID]bool)
	for _, e := range allErrors() {
		assert.False(t, seen[e.id], "%s is listed twice", e.id)
		seen[e.id] = true
		assert.True(t, e.id == "errorOnNodes" && e.status == 0 || e.status >= 400 && e.status < 600, "%s has status %d", e.id, e.status)
		keys := make(map[string]bool)
		for _, f := range e.fields {
			keys[f.key] = true
			assert.NotNil(t, f.read, "the detail %s of %s has no known type", f.key, e.id)
		}
		require.NotEmpty(t, e.variants, "%s", e.id)
		for _, s := range e.variants {
			mentioned := []string{s.needs}
			for part := range strings.SplitSeq(s.text, "{") {
				if path, _, found := strings.Cut(part, "}"); found {
					mentioned = append(mentioned, strings.TrimPrefix(path, "text:"))
				}
			}
			for _, path := range mentioned {
				root, _, _ := strings.Cut(path, ".")
				assert.True(t, root == "" || keys[root], "the description of %s mentions %q, which is not one of its details", e.id, path)
			}
			assert.True(t, strings.HasSuffix(s.text, "."), "%s: %s", e.id, s.text)
		}
	}
}

// mustRead decodes an error object.
func mustRead(t *testing.T, object string) *Error {
	t.Helper()
	var e Error
	require.NoError(t, json.Unmarshal([]byte(object), &e), "%s", object)
	return &e
}

// badDataError returns the variant of badData that nests an error.
func badDataError(key string, specificError error) *Error {
	return newError(IDBadData, details{"key": key, "specificError": toCatalogued(specificError)})
}

// allErrors returns the entries of the catalogue.
func allErrors() []entry { return parseEntries(onezoneErrors + forwardedErrors) }
