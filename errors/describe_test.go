package errors

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

// requireDescription checks the rules for all descriptions.
func requireDescription(t *testing.T, description string) {
	t.Helper()
	assert.Greater(t, len(strings.Trim(description, ". ")), 10)
	assert.LessOrEqual(t, len(description), maxDescription)
	assert.True(t, strings.HasSuffix(description, "."), "%q", description)
	assert.True(t, utf8.ValidString(description), "%q", description)
	assert.False(t, strings.ContainsFunc(description, unicode.IsControl), "%q", description)
}

func TestDescriptionsIncludeTheDetails(t *testing.T) {
	t.Parallel()
	object := func(members ...any) map[string]any {
		o := make(map[string]any)
		for i := 0; i < len(members); i += 2 {
			o[members[i].(string)] = members[i+1]
		}
		return o
	}
	access := object("accessToken", object())
	session := object("accessToken", object("sessionId", "s3cret"))
	identity := object("identityToken", object())
	invite := object("inviteToken", object("inviteType", "userJoinGroup", "groupId", "hidden"))
	for _, c := range []struct {
		err  *Error
		want string
	}{
		{BadValueString("name"), `Bad value: provided "name" must be a string.`},
		{BadValueString(`a"b`), `Bad value: provided "a\"b" must be a string.`},
		{BadValueTooLow("usageLimit", 1), `Bad value: provided "usageLimit" must be at least 1.`},
		{Make("badValueNotInRange", details{"key": "n", "low": -1, "high": 9}), `Bad value: provided "n" must lie between -1 and 9, inclusive.`},
		{BadValueNotAllowed("interface", "rest", "oneclient"), `Bad value: provided "interface" must be one of: "rest", "oneclient".`},
		{BadValueListNotAllowed("privileges"), `Bad value: provided "privileges" must be a list of zero or more of: (none).`},
		{BadValueToken("token", TokenRevoked()), `Bad value: provided "token" is not a valid token: The token was revoked.`},
		{MissingAtLeastOneValue("name", "customMetadata"), `At least one of these values must be given: "customMetadata", "name".`},
		{BadData("k"), `Bad data: provided "k" has an invalid format or makes no sense here.`},
		{BadDataHint("k", "too odd."), `Bad data: provided "k" is not valid: too odd.`},
		{badDataError("k", NotFound()), `Bad data: provided "k" is not valid: The resource was not found.`},
		{Forbidden(""), `You are not authorized to perform this operation.`},
		{Forbidden("no privilege"), `You are not authorized to perform this operation: no privilege.`},
		{Unauthorized(nil), `The operation needs authentication. Provide a token or other credentials.`},
		{Unauthorized(TokenRevoked()), `The given authentication is not valid for this operation: The token was revoked.`},
		{LimitReached(3, "tokens of a user"), `The limit of 3 tokens of a user is reached.`},
		{BadToken(""), `The token could not be understood.`},
		{BadToken("the checksum is wrong."), `The token could not be understood: the checksum is wrong.`},
		{NotAnAccessToken(identity), `An access token was expected, but an identity token was received.`},
		{NotAnAccessToken(invite), `An access token was expected, but an invite token of the type "userJoinGroup" was received.`},
		{NotAnAccessToken(object("inviteToken", object())), `An access token was expected, but an invite token was received.`},
		{NotAnAccessToken(nil), `An access token was expected, but another one was received.`},
		{NotAnIdentityToken(session), `An identity token was expected, but an access token for a session was received.`},
		{NotAnInviteToken("any", access), `An invite token of the type "any" was expected, but an access token was received.`},
		{TokenCaveatUnknown("foo = bar"), `The token holds a caveat that is not known: "foo = bar".`},
		{TokenCaveatUnverified(object("type", "time", "validUntil", 5), ""),
			`The token is not valid here because of its "time" caveat, which is not met: {"type":"time","validUntil":5}.`},
		{TokenCaveatUnverified(object("scope", "identityToken"), ""),
			`The token is not valid here because one of its caveats is not met: {"scope":"identityToken"}.`},
		{TokenCaveatUnverified(object("type", "time"), "the token expired"),
			`The token is not valid here because of a caveat: the token expired.`},
		{TokenServiceForbidden(object("type", "op_worker", "id", "p1")),
			`The subject of the token may not use the service "op_worker" with the id "p1".`},
		{InviteTokenConsumerInvalid(object("type", "user", "id", "u1")),
			`The user with the id "u1" cannot use invite tokens of this type.`},
		{InviteTokenConsumerInvalid(object("type", "nobody", "id", nil)),
			`The consumer (type "nobody") cannot use invite tokens of this type.`},
		{Make("badVersion", details{"supportedVersions": []int{3, 4}}), `The protocol version is not supported. The supported versions are: 3, 4.`},
		{Make("fileAccess", details{"path": "/a", "errno": "eacces"}), `The file "/a" could not be accessed: eacces.`},
		{BadValueCaveat(object("type", "ip", "ok", true, "n", nil)), `Bad value: provided caveat is not valid: {"n":null,"ok":true,"type":"ip"}.`},
		{mustRead(t, `{"id":"badVersion","details":{"supportedVersions":[1.5,true,null,[1]]}}`),
			`The protocol version is not supported. The supported versions are: 1.5, true, null, 1.`},
		{&Error{}, `The operation failed with an unknown error.`},
		{&Error{ID: "neverHeardOf"}, `The operation failed with the error "neverHeardOf".`},
		{&Error{ID: IDBadValueString}, `The operation failed with the error "badValueString".`},
		{&Error{ID: IDTokenCaveatUnverified, Details: object("caveat", make(chan int))},
			`The token is not valid here because one of its caveats is not met: (unprintable).`},
	} {
		assert.Equal(t, c.want, c.err.description(), "%s", c.err.ID)
		requireDescription(t, c.err.description())
		assert.NotContains(t, c.err.description(), "{}", "a detail that is not there")
	}
}

func TestDescriptionsStayShortAndPrintable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é\x00\xff\n", 10_000)
	many := make([]string, 10_000)
	for i := range many {
		many[i] = "ü" + long[:i%300]
	}
	wide := make(map[string]any)
	for _, item := range many[:300] {
		wide[item] = item
	}
	for _, e := range []*Error{
		Make("badMessage", details{"message": long}), Make("badMessage", details{"message": wide}),
		Make("externalServiceOperationFailed", details{"serviceName": long}), Make("posix", details{"errno": long}),
		Make("fileAccess", details{"path": long, "errno": long}), LimitReached(1, long), Forbidden(long), InternalServerError(long),
		TokenCaveatUnknown(long), TokenCaveatUnverified(wide, long), TokenCaveatUnverified(wide, ""),
		BadValueString(long), MissingAtLeastOneValue(many...), BadValueNotAllowed(long, many...), BadDataHint(long, long),
		BadValueCaveat(long), BadValueCaveat(many), Make("relationDoesNotExist", relation(long, long, long, long)),
		Make("badVersion", details{"supportedVersions": make([]int, 10_000)}),
		conflicting(long, long, wide, wide),
	} {
		requireDescription(t, e.Description)
		assert.LessOrEqual(t, len(e.Error()), maxDescription+100)
		body, err := e.MarshalJSON()
		assert.NoError(t, err)
		assert.Greater(t, len(body), 2000, "details are never cut")
	}

	requireDescription(t, BadToken(long).Description)
	invalid := strings.Repeat("\xff", 2*maxDescription)
	assert.LessOrEqual(t, len(sanitize(invalid)), maxDescription)
	requireDescription(t, mustRead(t, `{"description":"Words `+invalid+`"}`).Description)
	assert.LessOrEqual(t, len((&Error{ID: ID(invalid)}).Error()), 2*maxDescription)
	assert.Equal(t, `Bad value: the configuration {"a":" `+strings.Repeat("x", maxComposite-10)+`... of the metric "m" in the `+
		`time series "s" conflicts with the existing configuration {"a":2}.`,
		conflicting("s", "m", map[string]int{"a": 2}, map[string]string{"a": "\u0085" + strings.Repeat("x", 1000)}).Description)
	assert.Equal(t, `At least one of these values must be given: `+strings.Repeat(`"12345678", `, 32)+`"12345678"... and 67 more.`,
		MissingAtLeastOneValue(strings.Fields(strings.Repeat("12345678 ", 100))...).Description)
	assert.Equal(t, `Bad value: provided "`+strings.Repeat("é", 98)+`..." must be a string.`,
		BadValueString(strings.Repeat("é", 150)).Description)
}
