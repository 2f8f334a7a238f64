package strictjson_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
)

// keys returns the members of an object with n keys.
func keys(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"k%d":%d`, i, i))
	}
	return strings.Join(list, ",")
}

func TestAmbiguousTextsAreRejected(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `{`, `}`, `{}x`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `{"a":1 "b":2}`, `[1 2]`, `nul`, `True`, `'a'`,
		`01`, `-`, `1.`, `.5`, `1e`, `1e+`, `+1`, `--1`, `0x1`, `NaN`, `1e999`, `-1e309`, `1` + strings.Repeat("0", 309), `[1E400]`,
		`"`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\x1f\"", "\"\xff\"", "\"\xed\xa0\x80\"", "\ufeff{}", "{\"a\xc3\":1}",
		`"\ud800"`, `"\udc00"`, `"\ud800x"`, `"\ud800\n"`, `"\ud800\u0041"`, `"\ud800\ud800"`, `"\udc00\ud800"`, `"\ud800\`, `{"\ud800":1}`,
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `[{"a":1,"a":2}]`, `{"b":{"a":1,"a":2}}`, `{"b":{"\u00e9":1,"é":2}}`, `{"":1,"":2}`,
		`{"b":{` + keys(40) + `,"k39":0}}`, `{"b":{` + keys(40) + `,"k0":0}}`, `{"b":{` + keys(16) + `,"k15":0}}`, `{` + keys(40) + `,"k7":0}`,
		`{` + keys(5) + `,"k4":0}`, `{` + keys(16) + `,"k15":0}`, `{` + keys(17) + `,"k16":0}`,
		strings.Repeat("[", 65) + strings.Repeat("]", 65), strings.Repeat("[", 1_000_000),
	} {
		_, err := strictjson.Parse([]byte(text))
		require.ErrorIs(t, err, errors.IDMalformedData, "%.100s", text)
	}
}

func TestMembersAreThoseOfTheObject(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{}`, " {\t} \r\n", `{"a" : 1 , "b":[ {"a":1}, {"a":1} ]}`, `{"a":{"a":{"a":-0.5E-400}}, "A": "\ud83d\ude00\\ud800\/"}`,
		`{"\u0061\"":null,"é":true,"\n":false,"x":1e308,"y":` + strings.Repeat("9", 300) + `}`, `{` + keys(40) + `}`, `{"b":{` + keys(40) + `}}`,
		`{"a":{` + keys(16) + `},"b":{` + keys(16) + `},"c":[{` + keys(20) + `},{` + keys(20) + `}]}`,
	} {
		var want map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(text), &want))
		got, err := strictjson.Parse([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{`null`, `true`, `false`, `-0`, `""`, `[]`, strings.Repeat("[", 64) + strings.Repeat("]", 64)} {
		got, err := strictjson.Parse([]byte(text))
		require.NoError(t, err, text)
		require.Nil(t, got, text)
	}
}

func TestObjectsOfAllSizesReturnTheirMembers(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		object, err := strictjson.ParseObject([]byte("{" + keys(n) + "}"))
		require.NoError(t, err)
		require.Len(t, object.Map(), n)
		for i := range n {
			require.Equal(t, fmt.Sprint(i), string(object.Get(fmt.Sprintf("k%d", i))))
		}
		require.Nil(t, object.Get("k"))
		require.Nil(t, object.Get("k40"))
	}
	require.Nil(t, new(strictjson.Object).Get("k"))
}

func TestEachByteOfALongStringIsChecked(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for at := range 24 {
			text := []byte(`"` + strings.Repeat("a", 24) + `"`)
			text[1+at] = byte(c)
			_, err := strictjson.Parse(text)
			require.Equal(t, json.Valid(text) && utf8.Valid(text), err == nil, "%q", text)
		}
	}
}
