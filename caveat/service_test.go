package caveat_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestServiceForms(t *testing.T) {
	for _, c := range []struct {
		service    caveat.Service
		text, json string
	}{
		{caveat.Service{Type: caveat.OzWorker, ID: caveat.OnezoneID}, "ozw-onezone", `{"type":"oz_worker","id":"onezone"}`},
		{caveat.Service{Type: caveat.OzPanel, ID: caveat.OnezoneID}, "ozp-onezone", `{"type":"oz_panel","id":"onezone"}`},
		{caveat.Service{Type: caveat.OpWorker, ID: "a-b"}, "opw-a-b", `{"type":"op_worker","id":"a-b"}`},
		{caveat.Service{Type: caveat.OpPanel, ID: "*"}, "opp-*", `{"type":"op_panel","id":"*"}`},
		{caveat.Service{Type: caveat.OpPanel}, "opp-", `{"type":"op_panel","id":""}`},
	} {
		assert.Equal(t, c.text, c.service.String())
		parsed, err := caveat.ParseService(c.text)
		require.NoError(t, err)
		assert.Equal(t, c.service, parsed)
		raw, err := json.Marshal(c.service)
		require.NoError(t, err)
		assert.Equal(t, c.json, string(raw))
		var read caveat.Service
		require.NoError(t, json.Unmarshal(raw, &read))
		assert.Equal(t, c.service, read)
		assert.False(t, c.service.IsZero())
		typ, err := caveat.ParseServiceType(c.service.Type.Short())
		require.NoError(t, err)
		assert.Equal(t, c.service.Type, typ)
	}
}

func TestBadService(t *testing.T) {
	for _, text := range []string{"", "opw", "OPW-x", "opw_x", "xyz-1", "all-x", "-x", "op_worker-x", " opw-x", "unknown"} {
		s, err := caveat.ParseService(text)
		assert.ErrorIs(t, err, errors.IDBadData, "%q", text)
		assert.Zero(t, s)
	}
	for _, raw := range []string{
		`{}`, `[]`, `null`, `"opw-x"`, `{"type":"op_worker"}`, `{"id":"x"}`, `{"type":"opw","id":"x"}`, `{"type":"all","id":"x"}`,
		`{"type":"unknown","id":"x"}`, `{"type":"op_worker","id":null}`, `{"type":"op_worker","id":5}`, `{"Type":"op_worker","Id":"x"}`,
	} {
		s := caveat.Service{Type: caveat.OpPanel, ID: "before"}
		assert.ErrorIs(t, s.UnmarshalJSON([]byte(raw)), errors.IDBadData, raw)
		assert.Equal(t, caveat.Service{Type: caveat.OpPanel, ID: "before"}, s)
	}
	var typ caveat.ServiceType
	assert.ErrorIs(t, typ.UnmarshalText([]byte("all")), errors.IDBadData)
	assert.Zero(t, typ)
}

func TestZeroServiceIsUnknown(t *testing.T) {
	for _, typ := range []caveat.ServiceType{0, 5, 99} {
		assert.Equal(t, "unknown", caveat.Service{Type: typ, ID: "x"}.String())
	}
	assert.True(t, caveat.Service{}.IsZero())
	assert.Equal(t, "unknown", caveat.ServiceType(0).String())
	assert.Equal(t, "unknown", caveat.ServiceType(99).String())
	assert.Empty(t, caveat.ServiceType(0).Short())
	assert.Empty(t, caveat.ServiceType(99).Short())
	for _, name := range []string{"", "all"} {
		_, err := caveat.ParseServiceType(name)
		require.ErrorIs(t, err, errors.IDBadData)
	}
}
