package caveat_test

import (
	"testing"

	"github.com/onezone-go/onezone/caveat"
)

func TestDataText(t *testing.T) {
	testCanonical(t, []canonical{
		{
			text:  "data.path = L3NwYWNlL3BhdGg=|L3NwMg==",
			value: caveat.DataPath{"/space/path", "/sp2"},
			json:  `{"type":"data.path","whitelist":["L3NwYWNlL3BhdGg=","L3NwMg=="]}`,
		},
		{
			text:  "data.path = L3Nw YWNl\tL3Bh\r\ndGg=",
			value: caveat.DataPath{"/space/path"},
			print: "data.path = L3NwYWNlL3BhdGg=",
			json:  `{"type":"data.path","whitelist":["L3NwYWNlL3BhdGg="]}`,
		},
		{
			text:  "data.path = |L3Mx|",
			value: caveat.DataPath{"", "/s1", ""},
			json:  `{"type":"data.path","whitelist":["","L3Mx",""]}`,
		},
		{
			text:  "data.path = //79", // any bytes
			value: caveat.DataPath{"\xff\xfe\xfd"},
			json:  `{"type":"data.path","whitelist":["//79"]}`,
		},
		{
			text:  "data.objectid = 000000000010DB4967756964237575696423737061636531",
			value: caveat.DataObjectID{"000000000010DB4967756964237575696423737061636531"},
			json:  `{"type":"data.objectid","whitelist":["000000000010DB4967756964237575696423737061636531"]}`,
		},
		{
			text:  "data.objectid = anything|",
			value: caveat.DataObjectID{"anything", ""},
			json:  `{"type":"data.objectid","whitelist":["anything",""]}`,
		},
	})
	unknownTexts(t,
		"data.path", "data.path = ", "data.path =  ", "data.path = \t\n", "data.path = a", "data.path = L3Mx=", "data.path = L3NwMg", "data.path = L3NwMg=",
		"data.path = L3_-", "data.path = L3Mx|a", "data.path = =", "data.path != L3Mx", "data.path = /s1/a",
		"data.objectid", "data.objectid = ", "data.objectid != 00", "data.objectId = 00", "data = L3Mx", "data.other = x")
}

func TestNewDataPath(t *testing.T) {
	const unclean = `without empty, "." and ".." components`
	testNew(t, []newCase{
		{caveat.DataPath{"/s1", "/s1/a", "/s1/a.b/..c/...", "/s 1/ż|\n\xff"}, ""},
		{caveat.DataPath{}, "the list must not be empty"},
		{caveat.DataPath{""}, unclean},
		{caveat.DataPath{"/"}, unclean},
		{caveat.DataPath{"//"}, unclean},
		{caveat.DataPath{"s1"}, unclean},
		{caveat.DataPath{"/s1/"}, unclean},
		{caveat.DataPath{"//s1"}, unclean},
		{caveat.DataPath{"/s1//a"}, unclean},
		{caveat.DataPath{"/."}, unclean},
		{caveat.DataPath{"/s1/./a"}, unclean},
		{caveat.DataPath{"/.."}, unclean},
		{caveat.DataPath{"/s1/../s2"}, unclean},
		{caveat.DataPath{"/s1", "/s1/.."}, unclean},
	})
}

func TestNewDataObjectID(t *testing.T) {
	const (
		good    = "000000000010DB4967756964237575696423737061636531" // guid#uuid#space1
		noSpace = "000000000000000067756964237523"                   // guid#u#
		problem = "every object id must be hexadecimal and hold the id of a space"
	)
	testNew(t, []newCase{
		{caveat.DataObjectID{good, "000000000010db4967756964237575696423737061636531"}, ""},
		{caveat.DataObjectID{}, "the list must not be empty"},
		{caveat.DataObjectID{""}, problem},
		{caveat.DataObjectID{good, "zz"}, problem},
		{caveat.DataObjectID{good + "0"}, problem},
		{caveat.DataObjectID{good + " "}, problem},
		{caveat.DataObjectID{noSpace}, problem},
	})
}
