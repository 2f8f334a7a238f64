package store_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/store"
)

const hidden = "hunter2-hunter2"

// rootKey derives the root key from the text of a secret like libmacaroons.
func rootKey(text string) []byte {
	h := hmac.New(sha256.New, []byte("macaroons-key-generator"))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// requireHidden requires that the text does not contain the secret in any form
// in which fmt prints strings.
func requireHidden(t *testing.T, text, about string) {
	t.Helper()
	require.NotEmpty(t, text, about)
	root := rootKey(hidden)
	for _, form := range []string{
		hidden, "hunter", "hunte", fmt.Sprintf("%x", "hunter"), fmt.Sprintf("%X", "hunter"), "104 117 110", "0x68, 0x75", "68 75 6e",
		string(root[:4]), fmt.Sprintf("%x", root[:4]), fmt.Sprintf("%X", root[:4]), fmt.Sprintf("% x", root[:4]),
		strings.Trim(fmt.Sprint(root[:4]), "[]"), strings.Trim(fmt.Sprintf("%#v", root[:4]), "[]byte{}"),
	} {
		require.False(t, strings.Contains(text, form), "%s shows the secret: %s", about, text)
	}
}

// Types that contain a secret in different ways.
type (
	exported   struct{ Secret store.Secret }
	unexported struct{ secret store.Secret }
	pointer    struct{ secret *store.Secret }
	nested     struct {
		inner unexported
		list  []store.Secret
		array [1]store.Secret
		dict  map[string]store.Secret
		any   any
	}
	embedded struct{ store.Secret }
)

func holders() map[string]any {
	s := store.NewSecret(hidden)
	return map[string]any{
		"secret":           s,
		"pointer":          &s,
		"exported field":   exported{s},
		"unexported field": unexported{s},
		"pointer field":    pointer{&s},
		"pointer to":       &unexported{s},
		"embedded":         embedded{s},
		"list":             []store.Secret{s},
		"list of structs":  []unexported{{s}},
		"map":              map[string]store.Secret{"a": s},
		"nested":           nested{unexported{s}, []store.Secret{s}, [1]store.Secret{s}, map[string]store.Secret{"a": s}, s},
		"token":            store.Token{ID: "a", Secret: s},
		"identity":         store.Identity{Password: s},
		"key":              &store.Key{Secret: s},
		"temporary":        store.Record{Temporary: &store.Temporary{Secret: s}},
	}
}

func TestSecretIsHiddenFromFmt(t *testing.T) {
	t.Parallel()
	verbs := "vTtbcdoOqxXUeEfFgGsp!w"
	flags := []string{"", "+", "#", "-", " ", "0", "20", ".3", "+#", "#20.10", "[1]"}
	for about, value := range holders() {
		for _, flag := range flags {
			for _, verb := range verbs {
				format := "%" + flag + string(verb)
				requireHidden(t, fmt.Sprintf(format, value), about+" under "+format)
			}
		}
		requireHidden(t, fmt.Sprint(value), about)
		requireHidden(t, fmt.Sprintln("x", value), about)
		var out bytes.Buffer
		log.New(&out, "", 0).Println(value)
		requireHidden(t, out.String(), about)
	}
}

func TestSecretPrintsRedacted(t *testing.T) {
	t.Parallel()
	s := store.NewSecret(hidden)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10s", "%.2s"} {
		require.Equal(t, "[redacted]", fmt.Sprintf(format, s), format)
		require.Equal(t, "[redacted]", fmt.Sprintf(format, &s), format)
		require.Equal(t, "[redacted]", fmt.Sprintf(format, store.Secret{}), "%s: an empty secret must print the same", format)
	}
	require.Equal(t, "[redacted]", s.String())
	require.Equal(t, "{[redacted]}", fmt.Sprintf("%v", exported{s}))
	require.Contains(t, fmt.Sprintf("%+v", store.Token{Secret: s}), "Secret:[redacted]")
}

func TestSecretIsHiddenFromEncoders(t *testing.T) {
	t.Parallel()
	for about, value := range holders() {
		out, err := json.Marshal(value)
		require.NoError(t, err, about)
		requireHidden(t, string(out), about)
	}
	out, err := json.Marshal(exported{store.NewSecret(hidden)})
	require.NoError(t, err)
	require.JSONEq(t, `{"Secret":"[redacted]"}`, string(out))
	text, err := store.NewSecret(hidden).MarshalText()
	require.NoError(t, err)
	require.Equal(t, "[redacted]", string(text))
	out, err = json.Marshal(map[string]any{"key": map[string]store.Secret{"a": store.NewSecret(hidden)}})
	require.NoError(t, err)
	requireHidden(t, string(out), "JSON of a map")
}

func TestSecretIsHiddenFromSlog(t *testing.T) {
	t.Parallel()
	for about, value := range holders() {
		var out bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			logger := slog.New(handler)
			logger.Info("message", "secret", value)
			logger.With("secret", value).WithGroup("group").Info("message", slog.Group("inner", slog.Any("secret", value)))
			logger.Error("message", "err", fmt.Errorf("use %v", value))
		}
		requireHidden(t, out.String(), about)
		require.Equal(t, 6, strings.Count(out.String(), "\n"), about)
	}
	require.Equal(t, "[redacted]", store.NewSecret(hidden).LogValue().String())
}

func TestSecretIsHiddenInErrors(t *testing.T) {
	t.Parallel()
	for about, value := range holders() {
		err := fmt.Errorf("use %v: %w", value, errors.New("refused"))
		requireHidden(t, err.Error(), about)
		requireHidden(t, fmt.Sprintf("%+v %#v", err, err), about)
		requireHidden(t, errors.Join(err, err).Error(), about)
	}
	// Rejected records are not quoted either.
	token := store.Token{ID: "a", Secret: store.NewSecret(hidden)}
	requireHidden(t, token.Validate().Error(), "an invalid token")
}

// failures collects the output of failed testify assertions.
type failures struct{ text string }

func (f *failures) Errorf(format string, args ...any) { f.text += fmt.Sprintf(format, args...) }

func TestSecretIsHiddenFromTestify(t *testing.T) {
	t.Parallel()
	other := store.NewSecret("another")
	for about, value := range holders() {
		for what, check := range map[string]func(assert.TestingT){
			"Equal":         func(f assert.TestingT) { assert.Equal(f, nested{any: other}, value) },
			"same types":    func(f assert.TestingT) { assert.Equal(f, zeroOf(value), value) },
			"NotEqual":      func(f assert.TestingT) { assert.NotEqual(f, value, value) },
			"Nil":           func(f assert.TestingT) { assert.Nil(f, value) },
			"Empty":         func(f assert.TestingT) { assert.Empty(f, value) },
			"ElementsMatch": func(f assert.TestingT) { assert.ElementsMatch(f, []any{value}, []any{1}) },
			"Contains":      func(f assert.TestingT) { assert.Contains(f, []any{1}, value) },
			"IsType":        func(f assert.TestingT) { assert.IsType(f, 1, value) },
		} {
			var f failures
			check(&f)
			requireHidden(t, f.text, about+" in "+what)
		}
	}
}

// zeroOf returns the zero value of the type, so that testify prints a diff.
func zeroOf(value any) any { return reflect.Zero(reflect.TypeOf(value)).Interface() }

func TestSecretReveals(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", hidden, "\x00", "\xff\xfe", strings.Repeat("long", 1000), "zażółć"} {
		require.Equal(t, text, store.NewSecret(text).Reveal())
		require.False(t, store.NewSecret(text).IsZero())
	}
	require.Empty(t, store.Secret{}.Reveal())
	require.True(t, store.Secret{}.IsZero())
	require.True(t, store.NewSecret("").IsZero(), "an empty text must give the zero Secret")
}

func TestSecretEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b  string
		equal bool
	}{
		{"a", "a", true},
		{"", "", true},
		{"a", "b", false},
		{"a", "", false},
		{"a", "aa", false},
		{hidden, hidden[:len(hidden)-1], false},
		{hidden, hidden + "\x00", false},
		{hidden, strings.Clone(hidden), true},
	} {
		a, b := store.NewSecret(c.a), store.NewSecret(c.b)
		require.Equal(t, c.equal, a.Equal(b), "%q %q", c.a, c.b)
		require.Equal(t, c.equal, b.Equal(a), "%q %q", c.b, c.a)
		require.Equal(t, c.equal, reflect.DeepEqual(a, b), "%q %q", c.a, c.b)
	}
	require.False(t, reflect.TypeFor[store.Secret]().Comparable(), "== would compare addresses")
}

// The root key is derived like in libmacaroons: HMAC-SHA256 under a fixed key.
func TestSecretRoot(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a96173391e6bfa0356bbf095621b8af1510968e770e4d27d62109b7dc374814b",
		fmt.Sprintf("%x", rootKey("this is our super secret key; only we should know it")))
	for _, text := range []string{"x", "\x00\xff", hidden, strings.Repeat("s", 1000)} {
		s := store.NewSecret(text)
		clone := s
		key := [mac.Size]byte(rootKey(text))
		want := mac.Sum(&key, "message")
		var h mac.Hasher
		require.Equal(t, want, s.Root().First(&h, "message"))
		require.Equal(t, want, clone.Root().First(&h, "message"))
		require.Equal(t, mac.Sum(&key, "another"), clone.Root().First(&h, "another"))
		require.True(t, s.Equal(store.NewSecret(text)), "Equal compares the text")
	}
	require.Nil(t, store.Secret{}.Root())
}

func TestSecretRootPrintsNothing(t *testing.T) {
	t.Parallel()
	root := store.NewSecret(hidden).Root()
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		require.Equal(t, "[redacted]", fmt.Sprintf(format, root), format)
	}
}

// Every verification copies a secret.
func TestSecretIsSmall(t *testing.T) {
	require.Equal(t, reflect.TypeFor[*string]().Size(), reflect.TypeFor[store.Secret]().Size())
	s := store.NewSecret(hidden)
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = s.Reveal() }))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = s.Root() }), "Root must not allocate")
}
