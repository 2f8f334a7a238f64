package caveat_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestAttemptsSurviveJSON(t *testing.T) {
	t.Parallel()
	resource, err := caveat.ParseGRI("space.s1.instance:private")
	require.NoError(t, err)
	full := lab(t)[0]
	full.Geo = nil
	full.Now = full.Now.UTC()
	full.Session, full.API, full.Operation, full.Resource = caveat.InSession("s1"), caveat.OzWorker, caveat.Get, resource
	unenforced := full
	unenforced.DataAccess = false
	identity := caveat.Attempt{Request: caveat.Request{IP: netip.IPv6Loopback(), Session: caveat.AnySession(), ProveIdentity: true}}
	for _, a := range []caveat.Attempt{full, unenforced, identity, {}, {Request: caveat.Request{DataAccess: true, Consumer: caveat.Nobody()}}} {
		data, err := json.Marshal(a)
		require.NoError(t, err)
		var back caveat.Attempt
		require.NoError(t, json.Unmarshal(data, &back), "%s", data)
		require.Equal(t, a, back, "%s", data)
	}
}

func TestAttemptsInJSONAreStrict(t *testing.T) {
	t.Parallel()
	for text, id := range map[string]errors.ID{
		`[]`: errors.IDMalformedData, `{"path":"/a","path":"/b"}`: errors.IDMalformedData,
		`{"time":"now"}`: errors.IDBadValueInteger, `{"time":-1}`: errors.IDBadValueTooLow, `{"time":253402300800}`: errors.IDBadData,
		`{"peerIp":"10.0.0"}`: errors.IDBadValueIPv4Address, `{"peerIp":5}`: errors.IDBadValueIPv4Address,
		`{"peerIp":"fe80::1%eth0"}`: errors.IDBadValueIPv4Address,
		`{"interface":"ftp"}`:       errors.IDBadValueNotAllowed, `{"interface":5}`: errors.IDBadValueString,
		`{"service":"opw"}`: errors.IDBadData, `{"consumer":"u1"}`: errors.IDBadData,
		`{"sessionId":""}`: errors.IDBadValueString, `{"proveIdentity":1}`: errors.IDBadValueBoolean,
		`{"allowDataAccessCaveats":"yes"}`: errors.IDBadValueBoolean,
		`{"operation":"read"}`:             errors.IDBadValueNotAllowed, `{"operation":"get"}`: errors.IDBadGRI,
		`{"operation":"get","resource":"space.*.instance"}`: errors.IDBadGRI,
		`{"api":"opw"}`:                       errors.IDBadValueNotAllowed,
		`{"access":"list"}`:                   errors.IDBadValueNotAllowed,
		`{"access":"read","path":"lab/../a"}`: errors.IDBadValueFilePath,
		`{"objectIds":"5"}`:                   errors.IDBadValueListOfStrings,
		`{"objectIds":[5]}`:                   errors.IDBadValueListOfStrings,
	} {
		var a caveat.Attempt
		require.ErrorIs(t, a.UnmarshalJSON([]byte(text)), id, text)
		require.Equal(t, caveat.Attempt{}, a, text)
	}
	var a caveat.Attempt
	require.NoError(t, a.UnmarshalJSON([]byte(`{"peerIp":null,"unknown":1,"objectIds":[]}`)))
	require.Equal(t, caveat.Request{Session: caveat.AnySession()}, a.Request)
	require.NoError(t, a.UnmarshalJSON([]byte(`{"access":"read","peerIp":"::ffff:10.0.0.1"}`)))
	require.True(t, a.DataAccess)
	require.Equal(t, netip.MustParseAddr("10.0.0.1"), a.IP)
}
