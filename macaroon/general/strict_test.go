package general_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
)

// field returns a field of version 2.
func field(kind byte, value string) string { return string([]byte{kind, byte(len(value))}) + value }

func TestTextsThatAreNoMacaroonsAreRefused(t *testing.T) {
	t.Parallel()
	for text, problem := range map[string]string{
		"": "it is empty", "?": "neither JSON nor base64", "AgEB": "", "AA": "", "{": "malformed", "{}": "missing", "Ag": "",
		"MDAxNWxvY2F00aW9uIG9uZXpvbmUK": "out of order", `"AgEB"`: "neither JSON", "[]": "neither JSON",
	} {
		_, err := general.Parse(text, general.Any)
		requireProblem(t, problem, err)
	}
}

func TestVersion2HasOneForm(t *testing.T) {
	t.Parallel()
	signature := strings.Repeat("s", 32)
	head := "\x02" + field(1, "l") + field(2, "i") + "\x00"
	first, third := field(2, "a")+"\x00", field(1, "t")+field(2, "c")+field(4, "v")+"\x00"
	end := "\x00" + field(6, signature)
	parse := func(raw string) error {
		_, err := general.Parse(base64.RawURLEncoding.EncodeToString([]byte(raw)), general.V2)
		return err
	}
	require.NoError(t, parse(head+first+third+first+end))
	require.NoError(t, parse("\x02"+field(2, "i")+"\x00"+end), "a location can be missing")
	for name, c := range map[string]struct{ raw, problem string }{
		"trailing bytes":                     {head + first + end + "\x00", "at the very end"},
		"another macaroon":                   {head + end + head + end, "at the very end"},
		"a short signature":                  {head + "\x00" + field(6, signature[1:]), "32 bytes"},
		"a long signature":                   {head + "\x00" + field(6, signature+"s"), "32 bytes"},
		"no signature":                       {head + "\x00", "missing"},
		"no end of the caveats":              {head + field(6, signature), "out of order"},
		"no identifier":                      {"\x02" + field(1, "l") + "\x00" + end, "missing"},
		"an empty identifier":                {"\x02" + field(2, "") + "\x00" + end, "empty"},
		"an empty location":                  {"\x02" + field(1, "") + field(2, "i") + "\x00" + end, "empty"},
		"an empty caveat":                    {head + field(2, "") + "\x00" + end, "empty"},
		"an empty verification id":           {head + field(2, "a") + field(4, "") + "\x00" + end, "empty"},
		"a repeated identifier":              {"\x02" + field(2, "i") + field(2, "i") + "\x00" + end, "out of order"},
		"misordered fields":                  {"\x02" + field(2, "i") + field(1, "l") + "\x00" + end, "out of order"},
		"an unknown field":                   {head + field(2, "a") + field(5, "x") + "\x00" + end, "unknown"},
		"a verification id of the macaroon":  {"\x02" + field(2, "i") + field(4, "v") + "\x00" + end, "out of order"},
		"a location of a first-party caveat": {head + field(1, "t") + field(2, "a") + "\x00" + end, "first-party"},
		"an overlong size":                   {"\x02" + "\x02\x81\x00i" + "\x00" + end, "shortest form"},
		"an overlong type":                   {"\x02" + "\x82\x00\x01i" + "\x00" + end, "unknown"},
		"an endless size":                    {"\x02" + "\x02" + strings.Repeat("\xff", 20), "shortest form"},
		"a size beyond the data":             {"\x02" + "\x02\xff\xff\xff\x7f" + "i", "does not fit"},
		"a size that is cut":                 {"\x02" + "\x02\x80", "does not fit"},
		"no size":                            {"\x02" + "\x02", "does not fit"},
		"nothing but the version":            {"\x02", "missing"},
		"version 3":                          {"\x03" + head[1:] + end, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireProblem(t, c.problem, parse(c.raw))
		})
	}
}

func TestJSONIsStrict(t *testing.T) {
	t.Parallel()
	signature := strings.Repeat("ab", 32)
	const in64 = "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s"
	one := `{"location":"l","identifier":"i","caveats":[{"cid":"a"},{"cid":"c","vid":"dg","cl":"t"}],"signature":"` + signature + `"}`
	two := `{"v":2,"l":"l","i":"i","c":[{"i":"a"},{"i64":"Yw","v64":"dg","l":"t"}],"s64":"` + in64 + `"}`
	for text, format := range map[string]general.Format{
		one: general.V1JSON, two: general.V2JSON, " \n" + two + "\n": general.V2JSON, strings.Replace(two, `"v":2,`, "", 1): general.V2JSON,
		strings.Replace(one, `"location":"l"`, `"location":""`, 1): general.V1JSON, strings.Replace(two, `"l":"l",`, "", 1): general.V2JSON,
	} {
		m, err := general.Parse(text, format)
		require.NoError(t, err, text)
		assert.Equal(t, []general.Caveat{{Text: "a"}, {Text: "c", VerificationID: "v", Location: "t"}}, m.Caveats())
	}
	for name, c := range map[string]struct{ in, old, new, problem string }{
		"a repeated key":                 {one, `"location":"l"`, `"location":"l","location":"m"`, "repeated"},
		"a repeated key of a caveat":     {two, `{"i":"a"}`, `{"i":"a","i":"b"}`, "repeated"},
		"a repeated key in escapes":      {two, `"i":"i"`, `"i":"i","\u0069":"j"`, "repeated"},
		"a key in capitals":              {two, `"l":"l"`, `"L":"l"`, "misspelled"},
		"an identifier in capitals":      {one, `"identifier":"i"`, `"Identifier":"i"`, "missing"},
		"a key in two cases":             {two, `"i":"i"`, `"i":"i","I":"j"`, "misspelled"},
		"a key of a caveat in capitals":  {one, `{"cid":"a"}`, `{"CID":"a"}`, "missing"},
		"the Kelvin sign for a letter":   {two, `"s64"`, `"ſ64"`, "missing"},
		"an unknown key":                 {two, `"l":"l"`, `"l":"l","x":1`, "unknown"},
		"an unknown key of a caveat":     {one, `{"cid":"a"}`, `{"cid":"a","x":1}`, "unknown"},
		"keys of both versions":          {one, `"location":"l"`, `"location":"l","i":"j"`, "unknown"},
		"an identifier in both forms":    {two, `"i":"i"`, `"i":"i","i64":"aQ"`, "unknown"},
		"no identifier":                  {two, `"i":"i",`, ``, "missing"},
		"an empty identifier":            {two, `"i":"i"`, `"i":""`, "missing"},
		"an empty identifier in base64":  {two, `"i":"i"`, `"i64":""`, "missing"},
		"a caveat without a text":        {two, `{"i":"a"}`, `{}`, "missing"},
		"an empty verification id":       {one, `"vid":"dg"`, `"vid":""`, "missing"},
		"a null":                         {one, `"cl":"t"`, `"cl":null`, "type of its key"},
		"a number for a text":            {two, `"l":"l"`, `"l":1`, "type of its key"},
		"a caveat that is no object":     {two, `{"i":"a"}`, `"a"`, "malformed"},
		"caveats that are no list":       {two, `"c":[{"i":"a"},{"i64":"Yw","v64":"dg","l":"t"}]`, `"c":{}`, "type of its key"},
		"another version":                {two, `"v":2`, `"v":1`, "type of its key"},
		"a version as a fraction":        {two, `"v":2`, `"v":2.0`, "type of its key"},
		"a version as text":              {two, `"v":2`, `"v":"2"`, "type of its key"},
		"base64 with trailing bits":      {two, `"Yw"`, `"Yx"`, "base64"},
		"base64 with a line break":       {two, `"Yw"`, `"Y\nw"`, "base64"},
		"base64 of two alphabets":        {two, `"Yw"`, `"-/8"`, "base64"},
		"base64 with too much padding":   {two, `"Yw"`, `"Yw==="`, "base64"},
		"a verification id cut":          {one, `"vid":"dg"`, `"vid":"dgh"`, "base64"},
		"a signature in capitals":        {one, signature, strings.ToUpper(signature), "lowercase"},
		"a short signature":              {one, signature, signature[2:], "32 bytes"},
		"half a byte":                    {one, signature, signature[1:], "hexadecimal"},
		"a short signature in base64":    {two, in64, in64[4:], "32 bytes"},
		"no signature":                   {two, `,"s64":"` + in64 + `"`, ``, "missing"},
		"a location of a first party":    {two, `{"i":"a"}`, `{"i":"a","l":"t"}`, "first-party"},
		"a cl of a first party":          {one, `{"cid":"a"}`, `{"cid":"a","cl":"t"}`, "first-party"},
		"something after it":             {two, `"s64":"` + in64 + `"}`, `"s64":"` + in64 + `"}{}`, "malformed"},
		"an unpaired surrogate":          {two, `"i":"i"`, `"i":"\ud800"`, "malformed"},
		"a field too long for version 1": {one, `"cid":"a"`, `"cid":"` + strings.Repeat("a", 70_000) + `"`, "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, 1, strings.Count(c.in, c.old))
			_, err := general.Parse(strings.Replace(c.in, c.old, c.new, 1), general.Any)
			requireProblem(t, c.problem, err)
		})
	}
}

func TestVersion1IsStrict(t *testing.T) {
	t.Parallel()
	m := samples(t)["third parties"]
	raw, err := base64.RawURLEncoding.DecodeString(encode(t, m, general.V1))
	require.NoError(t, err)
	for name, changed := range map[string]string{
		"trailing bytes":   string(raw) + "\n",
		"a capital digit":  strings.Replace(string(raw), "002fsignature", "002Fsignature", 1),
		"no location":      string(raw[len("0014location photos\n"):]),
		"an empty caveat":  strings.Replace(string(raw), "000acid a\n", "0009cid \n", 1),
		"an unknown field": strings.Replace(string(raw), "000acid a\n", "000axid a\n", 1),
	} {
		require.NotEqual(t, string(raw), changed, name)
		_, err := general.Parse(base64Of([]byte(changed)), general.V1)
		require.ErrorIs(t, err, errors.IDBadToken, name)
	}
}

func TestParsingHasLimits(t *testing.T) {
	t.Parallel()
	m := samples(t)["caveats"]
	for _, format := range allFormats {
		text := encode(t, m, format)
		o := general.Options{Formats: format, Limits: macaroon.Limits{MaxSize: len(text), MaxCaveats: 3}}
		_, err := o.Parse(text)
		require.NoError(t, err)
		o.Limits.MaxCaveats = 2
		_, err = o.Parse(text)
		requireProblem(t, "too many caveats", err)
		o.Limits.MaxSize--
		_, err = o.Parse(text)
		require.ErrorIs(t, err, errors.IDTokenTooLarge)
	}
	_, err := general.Parse(strings.Repeat("A", macaroon.DefaultMaxSize+1), general.Any)
	require.ErrorIs(t, err, errors.IDTokenTooLarge)
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	_, err = general.Parse(`{"c":`+deep+`}`, general.Any)
	requireProblem(t, "malformed", err)
}
