package general_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
)

// needing returns a macaroon that needs discharges with the identifiers.
func needing(t testing.TB, location, identifier string, discharges ...string) general.Macaroon {
	t.Helper()
	m, err := macaroonv2.New([]byte(keyText), []byte(identifier), location, macaroonv2.V2)
	require.NoError(t, err)
	for _, id := range discharges {
		require.NoError(t, m.AddThirdPartyCaveat([]byte("key of "+id), []byte(id), "https://login.example.com"))
	}
	return fromLibrary(t, m)
}

// family returns two tokens for which there are discharges, one of them nested,
// and one without third-party caveats.
func family(t testing.TB) []general.Macaroon {
	t.Helper()
	return []general.Macaroon{
		needing(t, "https://photos.example.org", "album 7", "user", "country"),
		needing(t, "login", "user", "device"),
		needing(t, "login", "country"),
		needing(t, "https://mail.example.org", "inbox", "mail user", "nobody discharges this"),
		needing(t, "login", "mail user"),
		needing(t, "login", "device"),
		needing(t, "https://photos.example.org", "album 8"),
	}
}

func bundleOf(t testing.TB, macaroons ...general.Macaroon) general.Bundle {
	t.Helper()
	b, err := general.NewBundle(general.V2, macaroons...)
	require.NoError(t, err)
	return b
}

func header(t testing.TB, b general.Bundle) string {
	t.Helper()
	text, err := b.Header("")
	require.NoError(t, err)
	return text
}

// identifiers describes the entries: "token: discharge discharge".
func identifiers(b general.Bundle) (list []string) {
	for _, e := range b.Entries() {
		line := e.Token.Identifier() + ":"
		for _, d := range e.Discharges {
			line += " " + d.Identifier()
		}
		list = append(list, line)
	}
	return list
}

func TestABundlePrintsBackAsTheSameText(t *testing.T) {
	t.Parallel()
	m := samples(t)
	onezone, v1 := encode(t, m["an Onezone's"], general.Onezone), encode(t, m["caveats"], general.V1)
	v2 := encode(t, m["binary"], general.V2)
	padded := strings.NewReplacer("-", "+", "_", "/").Replace(v1) + strings.Repeat("=", -len(v1)&3)
	for _, list := range []string{onezone, onezone + "," + v1 + "," + v2, v2 + "," + padded} {
		b, err := general.ParseBundle("Macaroon "+list, general.Any)
		require.NoError(t, err)
		require.Equal(t, "Macaroon "+list, header(t, b))
	}
	made := family(t)
	b := bundleOf(t, made...)
	read, err := general.ParseBundle(header(t, b), general.V2)
	require.NoError(t, err)
	require.Equal(t, header(t, b), header(t, read))
	require.Len(t, read.Macaroons(), len(made))
	for i, each := range read.Macaroons() {
		requireSame(t, made[i], each)
	}
}

func TestDischargesBelongToTheTokenThatNeedsThem(t *testing.T) {
	t.Parallel()
	made := family(t)
	want := []string{"album 7: user country device", "inbox: mail user", "album 8:"}
	assert.Equal(t, want, identifiers(bundleOf(t, made...)))
	slices.Reverse(made)
	slices.Reverse(want)
	assert.Equal(t, want, identifiers(bundleOf(t, made...)), "in any order")
	assert.Equal(t, []string{"device:", "country:"}, identifiers(bundleOf(t, made[1], made[4])), "without the token, a discharge is a token")
	assert.Empty(t, general.Bundle{}.Entries())
}

func TestBundlesAreFilteredByLocationAndIdentifier(t *testing.T) {
	t.Parallel()
	b := bundleOf(t, family(t)...)
	photos := b.Filter(func(m general.Macaroon) bool { return m.Location() == "https://photos.example.org" })
	assert.Equal(t, []string{"album 7: user country device", "album 8:"}, identifiers(photos))
	album := photos.Filter(func(m general.Macaroon) bool { return m.Identifier() == "album 7" })
	assert.Equal(t, []string{"album 7: user country device"}, identifiers(album))
	read, err := general.ParseBundle(header(t, album), general.V2)
	require.NoError(t, err)
	assert.Equal(t, identifiers(album), identifiers(read))
	assert.Equal(t, []string{"album 7", "user", "country", "device"}, func() (ids []string) {
		for _, m := range album.Macaroons() {
			ids = append(ids, m.Identifier())
		}
		return ids
	}(), "in the order of the bundle")

	none := b.Filter(func(m general.Macaroon) bool { return m.Location() == "login" })
	assert.True(t, none.IsZero(), "discharges are not offered as tokens")
	assert.Empty(t, none.Macaroons())
	assert.True(t, none.Filter(func(general.Macaroon) bool { return true }).IsZero())
	_, err = none.Header("")
	requireProblem(t, "empty", err)
}

func TestMacaroonsThatDoNotFormABundleAreRefused(t *testing.T) {
	t.Parallel()
	token := needing(t, "photos", "token", "user")
	user, userAgain := needing(t, "login", "user"), needing(t, "elsewhere", "user", "device")
	confined, err := token.Confine("a")
	require.NoError(t, err)
	_, err = general.NewBundle(general.V2, token, confined)
	require.NoError(t, err, "two copies of a token, if nothing discharges them")
	for name, c := range map[string]struct {
		macaroons []general.Macaroon
		problem   string
	}{
		"the same twice":                        {[]general.Macaroon{token, user, token}, "macaroon 3 of the bundle is macaroon 1 again"},
		"two discharges of a caveat":            {[]general.Macaroon{token, user, userAgain}, "macaroons 2 and 3 of the bundle discharge the same caveat"},
		"a discharge of two tokens":             {[]general.Macaroon{token, confined, user}, "macaroon 3 of the bundle would discharge several caveats"},
		"a discharge of a caveat and its copy":  {[]general.Macaroon{needing(t, "", "token", "user", "user"), user}, "macaroon 2 of the bundle would discharge several"},
		"a discharge that needs itself":         {[]general.Macaroon{user, needing(t, "", "loop", "loop")}, "need each other"},
		"discharges that need each other":       {[]general.Macaroon{needing(t, "", "a", "b"), needing(t, "", "b", "a"), token}, "need each other"},
		"a token that is in a cycle of its own": {[]general.Macaroon{needing(t, "", "a", "b"), needing(t, "", "b", "c"), needing(t, "", "c", "a")}, "need each other"},
		"the zero macaroon":                     {[]general.Macaroon{token, {}}, "it is empty"},
	} {
		b, err := general.NewBundle(general.V2, c.macaroons...)
		require.True(t, b.IsZero(), name)
		requireProblem(t, c.problem, err)
	}
	repeated := encode(t, token, general.V2)
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(repeated)
	_, err = general.ParseBundle("Macaroon "+repeated+","+standard, general.V2)
	requireProblem(t, "again", err)
}

func TestHeadersThatAreNoBundlesAreRefused(t *testing.T) {
	t.Parallel()
	good := header(t, bundleOf(t, family(t)...))
	text := strings.TrimPrefix(good, "Macaroon ")
	for header, problem := range map[string]string{
		"":                            "begins with the scheme Macaroon and one space",
		"Macaroon":                    "macaroon 1 of the bundle: it is empty",
		"Macaroon ":                   "macaroon 1 of the bundle: it is empty",
		"Bearer " + text:              "begins with the scheme",
		text:                          "begins with the scheme",
		" " + good:                    "begins with the scheme",
		"Macaroon\t" + text:           "begins with the scheme",
		"Macaroon  " + text:           "macaroon 1 of the bundle: it is neither",
		good + " ":                    "macaroon 7 of the bundle: it is neither",
		good + ",":                    "macaroon 8 of the bundle: it is empty",
		"Macaroon ," + text:           "macaroon 1 of the bundle: it is empty",
		good + ", " + text:            "macaroon 8 of the bundle: it is neither",
		good + ",fm2_lJPEEKnz":        "macaroon 8 of the bundle: ",
		good + `,{"v":2}`:             "macaroon 8 of the bundle: JSON cannot be part of a bundle",
		good + ";x=y":                 "macaroon 7 of the bundle: it is neither",
		good + "," + good:             "macaroon 8 of the bundle: it is neither",
		good + "," + text[:40]:        "macaroon 8 of the bundle: ",
		good + "," + text[:40] + "==": "macaroon 8 of the bundle: ",
	} {
		b, err := general.ParseBundle(header, general.Any)
		require.True(t, b.IsZero(), "%q", header)
		requireProblem(t, problem, err)
		assert.NotContains(t, err.Error(), text[:40], "the text is a credential")
	}
	_, err := general.ParseBundle(good, general.V1|general.Onezone)
	requireProblem(t, "macaroon 1 of the bundle: its format is v2, and only onezone|v1 is accepted", err)
	for _, format := range []general.Format{general.V2JSON, general.V1JSON, general.Any} {
		_, err = general.NewBundle(format, family(t)...)
		require.ErrorIs(t, err, errors.IDBadValueNotAllowed)
	}
	_, err = general.NewBundle(general.V2)
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = general.NewBundle(general.V1, samples(t)["long"])
	require.ErrorIs(t, err, errors.IDBadData)
}

func TestTheSchemeOfABundleIsChosen(t *testing.T) {
	t.Parallel()
	b := bundleOf(t, family(t)...)
	text, err := b.Header("FlyV1")
	require.NoError(t, err)
	require.Regexp(t, `^FlyV1 [\w,-]+$`, text)
	fly := general.BundleOptions{Options: general.Options{Formats: general.V2}, Scheme: "FlyV1"}
	for _, accepted := range []string{text, "flyv1" + text[5:], "FLYV1" + text[5:]} {
		read, err := fly.Parse(accepted)
		require.NoError(t, err)
		again, err := read.Header("FlyV1")
		require.NoError(t, err)
		require.Equal(t, text, again)
	}
	_, err = fly.Parse(header(t, b))
	requireProblem(t, "begins with the scheme FlyV1", err)
	tokens := general.BundleOptions{Options: general.Options{Formats: general.V2}, Scheme: "tokens"}
	_, err = tokens.Parse("to\u212aen\u017f" + text[5:]) // Unicode folds these letters to k and s
	requireProblem(t, "begins with the scheme tokens", err)
	for _, scheme := range []string{"two words", "line\nbreak", "a,b", "a:b", "é"} {
		_, err := b.Header(scheme)
		require.ErrorIs(t, err, errors.IDBadValueString, scheme)
	}
}

func TestBundlesHaveLimits(t *testing.T) {
	t.Parallel()
	many := make([]general.Macaroon, general.DefaultMaxTokens+1)
	for i := range many {
		many[i] = needing(t, "photos", fmt.Sprint("album ", i))
	}
	_, err := general.NewBundle(general.V2, many...)
	require.ErrorContains(t, err, "limitReached: The limit of 128 macaroons in a bundle")
	most := header(t, bundleOf(t, many[1:]...))
	_, err = general.ParseBundle(most, general.V2)
	require.NoError(t, err)
	_, err = general.ParseBundle(most+","+encode(t, many[0], general.V2), general.V2)
	require.ErrorContains(t, err, "limitReached: The limit of 128 macaroons in a bundle")
	_, err = general.ParseBundle("Macaroon "+strings.Repeat(",", macaroon.DefaultMaxSize/2), general.V2)
	require.ErrorIs(t, err, errors.IDLimitReached, "counted before anything is split")

	options := general.BundleOptions{Options: general.Options{Formats: general.V2}, MaxTokens: 2}
	_, err = options.Parse(header(t, bundleOf(t, many[:3]...)))
	require.ErrorIs(t, err, errors.IDLimitReached)
	three := header(t, bundleOf(t, many[:3]...))
	options = general.BundleOptions{Options: general.Options{Formats: general.V2, Limits: macaroon.Limits{MaxSize: len(three)}}}
	_, err = options.Parse(three)
	require.NoError(t, err)
	options.Limits.MaxSize--
	_, err = options.Parse(three)
	require.ErrorIs(t, err, errors.IDTokenTooLarge, "of the whole header")
	options = general.BundleOptions{Options: general.Options{Formats: general.V2, Limits: macaroon.Limits{MaxCaveats: 1}}}
	_, err = options.Parse(header(t, bundleOf(t, family(t)...)))
	requireProblem(t, "macaroon 1 of the bundle: it contains too many caveats", err)

	huge, err := general.New("photos", strings.Repeat("x", macaroon.DefaultMaxSize/2), key)
	require.NoError(t, err)
	second, err := huge.Confine("a")
	require.NoError(t, err)
	_, err = bundleOf(t, huge, second).Header("")
	require.ErrorIs(t, err, errors.IDTokenTooLarge)
}

func TestABundlePrintsNoText(t *testing.T) {
	t.Parallel()
	b := bundleOf(t, family(t)...)
	type request struct{ bundle general.Bundle }
	printed := fmt.Sprintf("%v %+v %#v %s %x %v %+v %v", b, b, b, b, b, request{b}, b.Entries(), b.Macaroons())
	assert.Contains(t, printed, "[bundle of 7 macaroons]")
	for _, text := range strings.Split(strings.TrimPrefix(header(t, b), "Macaroon "), ",") {
		assert.NotContains(t, printed, text[:12])
		assert.NotContains(t, printed, fmt.Sprintf("%x", text[:12]))
	}
	_, err := json.Marshal(b)
	require.ErrorContains(t, err, "print it with Header")
}

// chainOf returns a bundle of n macaroons. Each but the last needs the next as
// its discharge.
func chainOf(t testing.TB, n int) general.Bundle {
	list := make([]general.Macaroon, n)
	for i := range list {
		list[i] = needing(t, "https://login.example.org", fmt.Sprintf("chain %4d", i), fmt.Sprintf("chain %4d", i+1))
	}
	return bundleOf(t, list...)
}

func TestParsingABundleIsLinearInItsMacaroons(t *testing.T) { // not parallel: it counts allocations
	work := func(n int) (allocations, bytes float64) {
		text := header(t, chainOf(t, n))
		parse := func() {
			if _, err := general.ParseBundle(text, general.V2); err != nil {
				t.Error(err)
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		allocations = testing.AllocsPerRun(100, parse)
		runtime.ReadMemStats(&after)
		return allocations, float64(after.TotalAlloc-before.TotalAlloc) / 101
	}
	allocations10, bytes10 := work(10)
	allocations100, bytes100 := work(100)
	assert.Less(t, allocations100, 10*allocations10)
	assert.Less(t, bytes100, 1.2*10*bytes10)
}
