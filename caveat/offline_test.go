package caveat_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

const offlineAPI = "api = opw/all/*.*.*:*|ozw/get/user.*.*:*|ozw/create/user.*.idp_access_token,*:*|" +
	"ozw/get/group.*.instance:shared|ozw/get/space.*.*:*|ozw/get/provider.*.*:*"

// offline returns the caveats of a token for offline access.
func offline(t testing.TB, cs []caveat.Caveat, provider string, validUntil int64) []caveat.Caveat {
	t.Helper()
	got, err := caveat.OfflineAccess(cs, provider, validUntil)
	require.NoError(t, err)
	return got
}

func TestOfflineAccessKeepsWhatLimitsTheAPI(t *testing.T) {
	cs := parseAll(t,
		"time < 5", "ip = 1.2.3.4", "asn = 5", "geo.country = PL", "geo.region = EU", "authorization = none",
		"service = opw-x", "consumer = usr-x",
		"interface = rest", "interface = oneclient", "data.path = L3My", "data.path = L3Mx", "data.objectid = 00",
		"api = ozw/get/user.*.*:*", "api = all/get/*.*.*:*", "data.readonly", "data.readonly", offlineAPI, "interface = rest")
	got := offline(t, cs, "p1", 1234)
	assert.Equal(t, []string{
		"time < 1234", "service = opw-p1", "consumer = prv-p1",
		"data.readonly",
		"api = all/get/*.*.*:*", offlineAPI, "api = ozw/get/user.*.*:*",
		"data.objectid = 00",
		"data.path = L3Mx", "data.path = L3My",
		"interface = oneclient", "interface = rest",
	}, printAll(got))
	assert.Equal(t, "time < 5", cs[0].String(), "the argument is left as it is")
}

func TestOfflineAccessOfATokenWithoutCaveats(t *testing.T) {
	got := offline(t, nil, "p1", 1234)
	assert.Equal(t, []string{"time < 1234", "service = opw-p1", "consumer = prv-p1", offlineAPI}, printAll(got))
	for _, c := range got {
		assert.NoError(t, caveat.Validate(c))
	}
	got[3].(caveat.API)[0] = caveat.MatchSpec{}
	assert.Equal(t, offlineAPI, offline(t, nil, "p1", 1234)[3].String(), "the results share no memory")
}

func TestOfflineAccessKeepsUnknownCaveats(t *testing.T) {
	vocabulary, err := caveat.NewVocabulary(projectKind)
	require.NoError(t, err)
	project, err := vocabulary.New("project", "42")
	require.NoError(t, err)
	got := offline(t, []caveat.Caveat{caveat.REST, project, caveat.Unknown("x"), nil}, "p1", 1234)
	assert.Equal(t, []caveat.Caveat{caveat.REST, caveat.Unknown(""), project, caveat.Unknown("x")}, got[4:])
}

// The id in a request must name one provider, never all.
func TestOfflineAccessIsForOneProvider(t *testing.T) {
	for _, provider := range []string{"*", "", "null", "self", "a|b", "|", "a/b", "p\n", "p\x00", "p\xff", "\u0085"} {
		cs, err := caveat.OfflineAccess(nil, provider, 1234)
		e, ok := errors.AsType[*errors.Error](err)
		require.True(t, ok, "%q: %v", provider, err)
		assert.Equal(t, errors.IDBadValueIdentifier, e.ID)
		assert.Equal(t, "provider", e.Details["key"])
		assert.Nil(t, cs)
	}
	_, err := caveat.OfflineAccess(nil, "p1", -1)
	requireInvalid(t, err)
	for _, provider := range []string{"p1", "null2", "**", "prv-1"} {
		_, err := caveat.OfflineAccess(nil, provider, 0)
		assert.NoError(t, err)
	}
}
