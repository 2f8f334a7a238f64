package caveat_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func objectID(t testing.TB, uuid, space, share string) string {
	t.Helper()
	id, err := caveat.FileID{UUID: uuid, Space: space, Share: share}.ObjectID()
	require.NoError(t, err)
	return id
}

func TestCheckFile(t *testing.T) {
	dir, file, other := objectID(t, "dir", "s", ""), objectID(t, "file", "s", ""), objectID(t, "other", "s", "")
	at := func(path string, ids ...string) caveat.File { return caveat.File{Path: path, ObjectIDs: ids} }
	paths := func(p ...string) caveat.Caveat { return caveat.DataPath(p) }
	ids := func(id ...string) caveat.Caveat { return caveat.DataObjectID(id) }
	for _, c := range []struct {
		name    string
		caveats []caveat.Caveat
		file    caveat.File
		access  caveat.Access
		refuses int // the index of the caveat that refuses, -1 if none does
	}{
		{"no caveats", nil, caveat.File{}, caveat.Write, -1},
		{"caveats that are not about files", parseAll(t, "time < 0", "ip = 1.2.3.4", "service = opw-p", "api = ozw/get/user.*.*", "interface = oneclient"), at("/s/a"), caveat.Write, -1},
		{"readonly: read", []caveat.Caveat{caveat.DataReadonly{}}, caveat.File{}, caveat.Read, -1},
		{"readonly: write", []caveat.Caveat{caveat.DataReadonly{}}, at("/s/a"), caveat.Write, 0},

		{"path: itself", []caveat.Caveat{paths("/s/a")}, at("/s/a"), caveat.Write, -1},
		{"path: below", []caveat.Caveat{paths("/s/a")}, at("/s/a/b/c"), caveat.Read, -1},
		{"path: begins alike", []caveat.Caveat{paths("/s/a")}, at("/s/ab"), caveat.Read, 0},
		{"path: above", []caveat.Caveat{paths("/s/a")}, at("/s"), caveat.Read, 0},
		{"path: a space", []caveat.Caveat{paths("/s")}, at("/s/a"), caveat.Read, -1},
		{"path: another space", []caveat.Caveat{paths("/s")}, at("/s2/a"), caveat.Read, 0},
		{"path: one of the list", []caveat.Caveat{paths("/t", "/s/a")}, at("/s/a/x"), caveat.Read, -1},
		{"path: case counts", []caveat.Caveat{paths("/s/a")}, at("/s/A"), caveat.Read, 0},
		{"path: not known", []caveat.Caveat{paths("/s/a")}, at("", file), caveat.Read, 0},
		{"path: an empty entry matches nothing", []caveat.Caveat{paths("")}, at("/s/a"), caveat.Read, 0},
		{"path: an empty entry and an unknown path", []caveat.Caveat{paths("")}, at(""), caveat.Read, 0},
		{"path: the root matches nothing", []caveat.Caveat{paths("/")}, at("/s/a"), caveat.Read, 0},
		{"path: an unclean entry matches nothing", []caveat.Caveat{paths("/s/")}, at("/s/a"), caveat.Read, 0},
		{"path: a star is a name", []caveat.Caveat{paths("/*/a")}, at("/s/a"), caveat.Read, 0},

		{"id: itself", []caveat.Caveat{ids(file)}, at("", file), caveat.Write, -1},
		{"id: below", []caveat.Caveat{ids(dir)}, at("", file, dir), caveat.Write, -1},
		{"id: another", []caveat.Caveat{ids(other)}, at("", file, dir), caveat.Write, 0},
		{"id: one of the list", []caveat.Caveat{ids(other, dir)}, at("", file, dir), caveat.Write, -1},
		{"id: not known", []caveat.Caveat{ids(file)}, at("/s/a"), caveat.Read, 0},
		{"id: lower case in the caveat", []caveat.Caveat{ids(strings.ToLower(file))}, at("", file), caveat.Read, -1},
		{"id: lower case in the file", []caveat.Caveat{ids(file)}, at("", strings.ToLower(file)), caveat.Read, -1},
		{"id: the checksum does not count", []caveat.Caveat{ids(file[:12] + "FFFF" + file[16:])}, at("", file), caveat.Read, -1},
		{"id: a share is another", []caveat.Caveat{ids(objectID(t, "file", "s", "sh"))}, at("", file), caveat.Read, 0},
		{"id: another space", []caveat.Caveat{ids(objectID(t, "file", "s2", ""))}, at("", file), caveat.Read, 0},
		{"id: nonsense is not itself", []caveat.Caveat{ids("zz")}, at("", "zz"), caveat.Read, 0},
		{"id: an empty entry matches nothing", []caveat.Caveat{ids("")}, at("", ""), caveat.Read, 0},

		{"caveats intersect", []caveat.Caveat{paths("/s"), paths("/s/a")}, at("/s/b"), caveat.Read, 1},
		{"the first in the way is named", []caveat.Caveat{paths("/s"), ids(other), caveat.DataReadonly{}}, at("/s/b", file), caveat.Write, 1},
		{"all agree", []caveat.Caveat{paths("/s"), ids(file), caveat.DataReadonly{}}, at("/s/b", file), caveat.Read, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := caveat.CheckFile(c.caveats, c.file, c.access)
			if c.refuses < 0 {
				require.NoError(t, err)
				return
			}
			requireForbidden(t, err, c.caveats[c.refuses])
		})
	}
}

func TestCheckFileRefusesUnknownCaveats(t *testing.T) {
	path := caveat.DataPath{"/s"}
	type wrapped struct{ caveat.DataPath }
	for _, c := range []caveat.Caveat{caveat.Unknown("data.new = x"), nil, caveat.Custom{}, &path, wrapped{path}} {
		err := caveat.CheckFile([]caveat.Caveat{path, c}, caveat.File{Path: "/s/a"}, caveat.Read)
		require.ErrorIs(t, err, errors.IDUnauthorized)
		assert.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
	}
}

func TestCheckFileRequiresACleanPath(t *testing.T) {
	for _, path := range []string{"/", "//", "s/a", "/s/", "//s", "/s//a", "/s/./a", "/s/..", "/s/a/../../t", "."} {
		err := caveat.CheckFile([]caveat.Caveat{caveat.DataPath{"/s"}}, caveat.File{Path: path}, caveat.Read)
		assert.ErrorIs(t, err, errors.IDBadValueFilePath, path)
	}
}

func TestCheckFileRequiresAnAccess(t *testing.T) {
	for _, access := range []caveat.Access{0, 3} {
		err := caveat.CheckFile(nil, caveat.File{Path: "/s/a"}, access)
		assert.ErrorIs(t, err, errors.IDBadData)
	}
}
