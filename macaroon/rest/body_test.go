package rest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
)

func TestParseBody(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for text, want := range map[string]struct {
		isObject, malformed bool
	}{
		``:                        {true, false},
		`{}`:                      {true, false},
		" {\"a\" : 1e308 }\r\n\t": {true, false},
		`{"a":1e999}`:             {false, true},
		`{"a":"\ud83d\ude00"}`:    {true, false},
		`{"a":"\ud83d"}`:          {false, true},
		`{"a":` + deep(strictjson.MaxDepth-1) + `}`: {true, false},
		`{"a":` + deep(strictjson.MaxDepth) + `}`:   {false, true},
		deep(strictjson.MaxDepth):                   {false, false},
		`{"a":1,"A":2}`:                             {true, false}, // keys are exact
		`{"a":{"b":1},"c":{"b":2}}`:                 {true, false},
		`{"a":1,"\u0061":2}`:                        {false, true},
		`{"a\"":1,"a":2,"a\\":3}`:                   {true, false},
		`{"a":{},"b":[],"a":0}`:                     {false, true},
		`[{"a":1,"a":2}]`:                           {false, true},
		`null`:                                      {false, false},
		`"x"`:                                       {false, false},
		` `:                                         {false, true},
		` { "a" : [ 1 , { } , [ ] ] , "b" : { "c" : "]}" } , "d" : null } `: {true, false},
		`{}{}`:             {false, true},
		`{"a":NaN}`:        {false, true},
		"{\"a\":\"\xc3\"}": {false, true},
	} {
		o, isObject, err := parseBody([]byte(text))
		if want.malformed {
			require.ErrorIs(t, err, errors.IDMalformedData, text)
			continue
		}
		require.NoError(t, err, text)
		require.Equal(t, want.isObject, isObject, text)
		require.Equal(t, isObject, o != nil, text)
	}
}

// FuzzBody compares the strict decoder with the standard one: it accepts only
// what encoding/json accepts, and decodes it to the same value.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `[]`, `null`, `{"token":"x","caveats":[{"type":"time","validUntil":5}]}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
		" { \"a\" : [ 1 , { \"b\\\"\" : \"]},\\\\\" } , [ ] ] ,\t\"\" : -0.5e+1 ,\n\"c\":true}\r", `[ [], {} , "" ]`,
		`{"a":{"b":[1,2.5e3,null,true,"\ud83d\ude00"]}}`, "{\"\xff\":1}", `{"a":1} `, `{"a":1}x`, strings.Repeat(`{"a":`, 100), " ",
		`{"a":[1e400,-1E+400,1e-400,0.1e309]}`, `{"a":"\ud800","b":"\udc00\ud800","c":"\\ud800"}`, `{"\ud800":1,"\ufffd":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, isObject, err := parseBody(data)
		if len(data) > 0 && utf8.Valid(data) && json.Valid(data) {
			d := json.NewDecoder(bytes.NewReader(data))
			d.UseNumber() // which float64 might not hold
			require.Equal(t, isStrict(d, 0) && surrogatesArePaired(data), err == nil)
		}
		if err != nil {
			require.ErrorIs(t, err, errors.IDMalformedData)
			require.False(t, isObject)
			return
		}
		if len(data) == 0 {
			return
		}
		var std map[string]json.RawMessage
		stdErr := json.Unmarshal(data, &std)
		require.True(t, json.Valid(data))
		require.Equal(t, stdErr == nil && std != nil, isObject)
		if isObject {
			require.True(t, reflect.DeepEqual(o.Map(), std))
			again, err := json.Marshal(o.Map())
			require.NoError(t, err)
			back, isObject, err := parseBody(again)
			require.NoError(t, err, "what is written is read")
			require.True(t, isObject)
			require.Len(t, back.Map(), len(std))
		}
	})
}

// isStrict is a simple implementation of the checks of parseBody.
func isStrict(d *json.Decoder, depth int) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	if number, ok := token.(json.Number); ok {
		_, err := number.Float64()
		return err == nil
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return true
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			key, err := d.Token()
			name, ok := key.(string)
			if err != nil || !ok || seen[name] {
				return false
			}
			seen[name] = true
		}
		if !isStrict(d, depth+1) {
			return false
		}
	}
	_, err = d.Token() // the closing bracket
	return err == nil && depth < strictjson.MaxDepth
}

var escape = regexp.MustCompile(`\\(?:u([0-9a-fA-F]{4})|.)`)

// surrogatesArePaired checks the escapes in the strings of a JSON text.
func surrogatesArePaired(data []byte) bool {
	high := -1 // end of a first half
	for _, m := range escape.FindAllSubmatchIndex(data, -1) {
		half := ""
		if m[2] >= 0 {
			half = strings.ToLower(string(data[m[2] : m[2]+2]))
		}
		second := half >= "dc" && half <= "df"
		if second != (high == m[0]) || high >= 0 && high != m[0] {
			return false
		}
		high = -1
		if half >= "d8" && half <= "db" {
			high = m[1]
		}
	}
	return high < 0
}

func TestAccepts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []string
		want   bool
	}{
		{nil, true}, {[]string{""}, true}, {[]string{" "}, true}, {[]string{"*/*"}, true}, {[]string{"application/*"}, true},
		{[]string{"application/json"}, true}, {[]string{"Application/JSON;charset=utf-8"}, true}, {[]string{"text/html, application/json;q=0.1"}, true},
		{[]string{"text/html", "application/json"}, true}, {[]string{"text/html"}, false}, {[]string{"application/json;q=0"}, false},
		{[]string{"application/json;q=0, */*"}, false}, {[]string{"*/*;q=0, application/json"}, true}, {[]string{"application/*;q=0, */*"}, false},
		{[]string{"application/json;q=0.000"}, false}, {[]string{"application/json;q=bad"}, false}, {[]string{"application/jsonx"}, false},
		{[]string{";;,, */*"}, true}, {[]string{"nonsense"}, false}, {[]string{"application/json+x"}, false},
		{[]string{"text/html, *; q=.2"}, true}, {[]string{"*;q=0"}, false}, {[]string{"*/*;q=0"}, false},
		{[]string{`application/json;profile="a,b"`}, true}, {[]string{`text/html;a="application/json,application/json"`}, false},
		{[]string{`text/html;a="\",application/json,"`}, false}, {[]string{`text/html;a="b", application/json`}, true},
		{[]string{strings.Repeat("a/b,", 2000) + "application/json"}, true}, {[]string{strings.Repeat("a/b,", 3000) + "application/json"}, false},
	} {
		require.Equal(t, c.want, accepts(c.values), "%q", c.values)
	}
}

// BenchmarkParseBody parses the most frequent body.
func BenchmarkParseBody(b *testing.B) {
	body := []byte(`{"token":"` + strings.Repeat("MDAxNWxvY2F0aW9uIG9uZXpvbmUK", 10) + `","peerIp":"192.0.2.1","interface":"rest"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := parseBody(body); err != nil {
			b.Fatal(err)
		}
	}
}
