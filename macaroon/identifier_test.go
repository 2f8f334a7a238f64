package macaroon_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	type parts struct {
		version    int
		generation int64
		subject    caveat.Subject
		typ        string
		id         string
	}
	long := strings.Repeat("i", 60_000)
	for text, want := range map[string]parts{
		identifierText:                           {2, 0, caveat.User("u1"), "act", "id1"},
		"2/tmp-1/prv-p1/idn/x":                   {2, 1, caveat.Provider("p1"), "idn", "x"},
		"2/nmd/usr-u1/act:a:b/x":                 {2, 0, caveat.User("u1"), "act:a:b", "x"},
		"2/nmd/usr-a-b/ujg:g1:/x":                {2, 0, caveat.User("a-b"), "ujg:g1:", "x"},
		"2/nmd/usr-u1/ssp:s1:/x":                 {2, 0, caveat.User("u1"), "ssp:s1:ge", "x"},
		"2/nmd/usr-u1/ujg:g1:zz/x":               {2, 0, caveat.User("u1"), "ujg:g1:", "x"},
		"2/tmp-9223372036854775807/usr-u1/act/x": {2, 1<<63 - 1, caveat.User("u1"), "act", "x"},
		"2/nmd/usr-usr-u1/act/x":                 {2, 0, caveat.User("usr-u1"), "act", "x"},
		"2/nmd/usr-nobody/act/x":                 {2, 0, caveat.User("nobody"), "act", "x"},
		"legacy":                                 {1, 0, caveat.Nobody(), "act", "legacy"},
		"x":                                      {1, 0, caveat.Nobody(), "act", "x"},
		long:                                     {1, 0, caveat.Nobody(), "act", long},
		"1/abc":                                  {1, 0, caveat.Nobody(), "act", "abc"},
		"x/abc":                                  {1, 0, caveat.Nobody(), "act", "x/abc"},
		"/abc":                                   {1, 0, caveat.Nobody(), "act", "/abc"},
		"-/abc":                                  {1, 0, caveat.Nobody(), "act", "-/abc"},
		"+/abc":                                  {1, 0, caveat.Nobody(), "act", "+/abc"},
		"2a/nmd/usr-u1/act/x":                    {1, 0, caveat.Nobody(), "act", "2a/nmd/usr-u1/act/x"},
		"\uff12/nmd/usr-u1/act/x":                {1, 0, caveat.Nobody(), "act", "\uff12/nmd/usr-u1/act/x"},
		"2":                                      {1, 0, caveat.Nobody(), "act", "2"},
		"zażółć":                                 {1, 0, caveat.Nobody(), "act", "zażółć"},
		"MDA/x/y/z/w/v":                          {1, 0, caveat.Nobody(), "act", "MDA/x/y/z/w/v"},
	} {
		token, err := parsePackets(packets(text))
		require.NoError(t, err, "%.40q", text)
		assert.Equal(t, want, parts{token.Version(), token.Generation(), token.Subject(), token.Type().String(), token.ID()}, "%.40q", text)
	}
}

func TestIdentifiersThatNoOnezoneWrites(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"version with a leading zero":   "02/nmd/usr-u1/act/x",
		"version with a plus":           "+2/nmd/usr-u1/act/x",
		"version with a minus":          "-2/nmd/usr-u1/act/x",
		"version 3":                     "3/nmd/usr-u1/act/x",
		"version 0":                     "0/x",
		"version beyond 64 bits":        "99999999999999999999/x",
		"version 1, two fragments":      "1/a/b",
		"version 1, no id":              "1/",
		"version 1 with a plus":         "+1/abc",
		"version 1 with a leading zero": "01/abc",
		"version 2, nothing else":       "2/",
		"too few fragments":             "2/nmd/usr-u1/act",
		"too many fragments":            "2/nmd/usr-u1/act/x/y",
		"slash at the end":              "2/nmd/usr-u1/act/x/",
		"slash in front":                "2//nmd/usr-u1/act/x",
		"empty id":                      "2/nmd/usr-u1/act/",
		"empty user id":                 "2/nmd/usr-/act/x",
		"empty provider id":             "2/nmd/prv-/act/x",
		"nobody":                        "2/nmd/nobody/act/x",
		"group":                         "2/nmd/grp-g1/act/x",
		"root":                          "2/nmd/root/act/x",
		"empty subject":                 "2/nmd//act/x",
		"uppercase subject":             "2/nmd/USR-u1/act/x",
		"service as a subject":          "2/nmd/opw-p1/act/x",
		"empty persistence":             "2//usr-u1/act/x",
		"nmd1":                          "2/nmd1/usr-u1/act/x",
		"NMD":                           "2/NMD/usr-u1/act/x",
		"tmp":                           "2/tmp/usr-u1/act/x",
		"tmp-":                          "2/tmp-/usr-u1/act/x",
		"tmp-a":                         "2/tmp-a/usr-u1/act/x",
		"tmp-0":                         "2/tmp-0/usr-u1/act/x",
		"tmp--1":                        "2/tmp--1/usr-u1/act/x",
		"tmp-+3":                        "2/tmp-+3/usr-u1/act/x",
		"tmp-007":                       "2/tmp-007/usr-u1/act/x",
		"tmp-1_0":                       "2/tmp-1_0/usr-u1/act/x",
		"tmp-0x1":                       "2/tmp-0x1/usr-u1/act/x",
		"generation beyond 63 bits":     "2/tmp-9223372036854775808/usr-u1/act/x",
		"generation of 100 digits":      "2/tmp-1" + strings.Repeat("0", 99) + "/usr-u1/act/x",
		"fullwidth generation":          "2/tmp-\uff11/usr-u1/act/x",
		"generation alone":              "2/5/usr-u1/act/x",
		"empty type":                    "2/nmd/usr-u1//x",
		"acts":                          "2/nmd/usr-u1/acts/x",
		"empty session":                 "2/nmd/usr-u1/act:/x",
		"identity with a parameter":     "2/nmd/usr-u1/idn:/x",
		"invitation without parameters": "2/nmd/usr-u1/ujg:g1/x",
		"invitation without a target":   "2/nmd/usr-u1/ujg::/x",
		"invitation of four parts":      "2/nmd/usr-u1/ujg:g1:a:b/x",
		"unknown invitation":            "2/nmd/usr-u1/zzz:g1:/x",
		"colons only":                   "2/nmd/usr-u1/::/x",
		"space in the subject":          "2/nmd/usr-u 1/act/x",
		"space in the id":               "2/nmd/usr-u1/act/x y",
		"space in the session":          "2/nmd/usr-u1/act:a b/x",
		"DEL in the id":                 "2/nmd/usr-u1/act/\x7f",
		"space in a legacy id":          "legacy id",
		"NUL in a legacy id":            "legacy\x00",
		"line feed in a legacy id":      "legacy\n",
		"escape in a legacy id":         "\x1b[2J",
		"no-break space":                "x\u00a0y",
		"line separator":                "x\u2028y",
		"ideographic space":             "x\u3000y",
		"next line (C1)":                "x\u0085y",
		"control sequence (C1)":         "x\u009by",
		"not UTF-8":                     "x\xffy",
		"overlong encoding of a slash":  "2\xc0\xafnmd",
		"surrogate":                     "x\xed\xa0\x80y",
		"replacement character":         "x\ufffdy",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := parsePackets(packets(text))
			requireID(t, errors.IDBadToken, err)
			assert.Zero(t, token)
			assert.NotContains(t, err.Error(), text)
		})
	}
}
