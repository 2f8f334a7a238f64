package caveat_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestSubjectForms(t *testing.T) {
	for _, c := range []struct {
		subject    caveat.Subject
		text, json string
	}{
		{caveat.User("u1"), "usr-u1", `{"type":"user","id":"u1"}`},
		{caveat.User(""), "usr-", `{"type":"user","id":""}`},
		{caveat.User("a-b/c|d"), "usr-a-b/c|d", `{"type":"user","id":"a-b/c|d"}`},
		{caveat.Provider("p1"), "prv-p1", `{"type":"oneprovider","id":"p1"}`},
		{caveat.Group("g1"), "grp-g1", `{"type":"group","id":"g1"}`},
		{caveat.Nobody(), "nobody", `{"type":"nobody","id":null}`},
	} {
		assert.Equal(t, c.text, c.subject.String())
		parsed, err := caveat.ParseSubject(c.text)
		require.NoError(t, err)
		assert.Equal(t, c.subject, parsed)
		raw, err := json.Marshal(c.subject)
		require.NoError(t, err)
		assert.Equal(t, c.json, string(raw))
		var read caveat.Subject
		require.NoError(t, json.Unmarshal(raw, &read))
		assert.Equal(t, c.subject, read)
		assert.False(t, c.subject.IsZero())
	}
	var read caveat.Subject
	require.NoError(t, json.Unmarshal([]byte(`{"type":"user","id":"u1","more":[]}`), &read))
	assert.Equal(t, caveat.User("u1"), read)
}

func TestBadSubject(t *testing.T) {
	for _, text := range []string{"", "root", "usr", "USR-x", "usr_x", "nobody ", "nobody-", "Nobody", " usr-x", "user-x", "unknown", "opw-x"} {
		s, err := caveat.ParseSubject(text)
		assert.ErrorIs(t, err, errors.IDBadData, "%q", text)
		assert.Zero(t, s)
	}
	for _, raw := range []string{
		`{}`, `[]`, `null`, `"usr-u1"`, `5`, `{"type":"user"}`, `{"id":"u1"}`, `{"type":"user","id":null}`, `{"type":"user","id":5}`,
		`{"type":"root","id":"x"}`, `{"type":"nobody"}`, `{"type":"nobody","id":"x"}`, `{"type":null,"id":"x"}`,
		`{"type":"unknown","id":"x"}`, `{"type":"usr","id":"x"}`, `{"TYPE":"user","ID":"x"}`, `{"type":"user","id":"\ud800"}`,
	} {
		s := caveat.User("before")
		assert.ErrorIs(t, s.UnmarshalJSON([]byte(raw)), errors.IDBadData, raw)
		assert.Equal(t, caveat.User("before"), s)
	}
	assert.ErrorIs(t, new(caveat.Subject).UnmarshalJSON([]byte(`{`)), errors.IDBadData)
}

func TestZeroSubjectIsUnknown(t *testing.T) {
	for _, s := range []caveat.Subject{{}, {ID: "x"}, {Type: 9, ID: "x"}} {
		assert.Equal(t, "unknown", s.String())
		assert.Equal(t, "unknown", s.Type.String())
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		assert.Equal(t, `{"type":"nobody","id":null}`, string(raw))
	}
	assert.True(t, caveat.Subject{}.IsZero())
	assert.Equal(t, "oneprovider", caveat.SubjectProvider.String())
}
