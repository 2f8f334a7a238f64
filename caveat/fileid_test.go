package caveat_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestObjectIDSamples(t *testing.T) {
	for _, c := range []struct {
		file     caveat.FileID
		id, guid string
	}{
		{caveat.FileID{UUID: "uuid", Space: "space1"}, "000000000010DB4967756964237575696423737061636531", "Z3VpZCN1dWlkI3NwYWNlMQ"},
		{
			caveat.FileID{UUID: "uuid", Space: "space2", Share: "share1"},
			"00000000001C955F73686172654775696423757569642373706163653223736861726531",
			"c2hhcmVHdWlkI3V1aWQjc3BhY2UyI3NoYXJlMQ",
		},
	} {
		id, err := c.file.ObjectID()
		require.NoError(t, err)
		assert.Equal(t, c.id, id)
		assert.Equal(t, c.guid, c.file.GUID())
		for _, text := range []string{c.id, strings.ToLower(c.id)} {
			back, err := caveat.ParseObjectID(text)
			require.NoError(t, err)
			assert.Equal(t, c.file, back)
		}
		back, err := caveat.ParseGUID(c.guid)
		require.NoError(t, err)
		assert.Equal(t, c.file, back)
	}
}

// frame returns a header, given in hexadecimal, followed by data.
func frame(header, data string) string { return header + hex.EncodeToString([]byte(data)) }

func TestParseObjectIDIsLenientAboutTheFrame(t *testing.T) {
	for _, text := range []string{
		frame("0000000000000000", "guid#u#s"), // neither length nor checksum
		frame("00ABCDEF00FFFFFF", "guid#u#s"), // another enterprise
	} {
		f, err := caveat.ParseObjectID(text)
		require.NoError(t, err)
		assert.Equal(t, caveat.FileID{UUID: "u", Space: "s"}, f)
	}
	f, err := caveat.ParseObjectID(frame("0000000000000000", "guid##"))
	require.NoError(t, err)
	assert.Zero(t, f, "the space may be empty")
}

func TestBadObjectID(t *testing.T) {
	const header = "0000000000000000"
	for _, text := range []string{
		"", "0", "00", header, header[:14], "zz", frame(header, "guid#u#s") + "0", frame(header, "guid#u#s") + "g",
		" " + frame(header, "guid#u#s"), frame("0100000000000000", "guid#u#s"), frame("0000000001000000", "guid#u#s"),
		frame(header, "guid#u"), frame(header, "guid#u#s#x"), frame(header, "GUID#u#s"), frame(header, "guid"),
		frame(header, "shareGuid#u#s"), frame(header, "shareGuid#u#s#x#y"), frame(header, "shareGuid#u#s#"),
		frame(header, "other#u#s"), frame(header, "#u#s"), frame(header, "u#s"),
	} {
		f, err := caveat.ParseObjectID(text)
		assert.ErrorIs(t, err, errors.IDBadData, "%q", text)
		assert.Zero(t, f)
	}
}

func TestBadGUID(t *testing.T) {
	const good = "Z3VpZCN1dWlkI3NwYWNlMQ"
	for _, guid := range []string{
		"", good + "==", good[:21], good[:21] + "R", "Z3Vp\nZCN1dWlkI3NwYWNlMQ", good + "\n", " " + good, "Z3VpZCN1",
		"Z3VpZCN1I+8v",
	} {
		f, err := caveat.ParseGUID(guid)
		assert.ErrorIs(t, err, errors.IDBadData, "%q", guid)
		assert.Zero(t, f)
	}
}

func TestObjectIDRejectsBadParts(t *testing.T) {
	for _, f := range []caveat.FileID{
		{UUID: "a#b", Space: "s"}, {UUID: "u", Space: "s#t"}, {UUID: "u", Space: "s", Share: "#"}, {UUID: "#"},
		{UUID: strings.Repeat("u", 320-len("guid##s")+1), Space: "s"},
	} {
		id, err := f.ObjectID()
		assert.ErrorIs(t, err, errors.IDBadData)
		assert.Empty(t, id)
	}
	id, err := caveat.FileID{UUID: strings.Repeat("u", 320-len("guid##s")), Space: "s"}.ObjectID()
	require.NoError(t, err)
	assert.Equal(t, "40", id[10:12], "the length is written modulo 256")
}
