package seal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/seal"
)

func TestStaticKeysRejectInvalidKeys(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		primary seal.Key
		others  []seal.Key
		detail  string
	}{
		"no id":             {key("", 1), nil, "id"},
		"long id":           {key(strings.Repeat("k", 256), 1), nil, "id"},
		"same id":           {key1, []seal.Key{key2, key("one", 3)}, "id"},
		"a byte order mark": {key("\ufeffk", 1), nil, "id"},
		"half of UTF-16":    {key("\xff\xfek", 1), nil, "id"},
		"a control":         {key("k\x00", 1), nil, "id"},
		"a space":           {key("k 1", 1), nil, "id"},
		"a hidden space":    {key1, []seal.Key{key("one\u200b", 3)}, "id"},
		"no material":       {seal.Key{ID: "k"}, nil, "material"},
		"AES-128":           {seal.Key{ID: "k", Material: store.NewSecret(strings.Repeat("m", 16))}, nil, "material"},
		"hexadecimal":       {seal.Key{ID: "k", Material: store.NewSecret(strings.Repeat("0", 64))}, nil, "material"},
		"one of the rest":   {key1, []seal.Key{{ID: "k"}}, "material"},
	} {
		_, err := seal.NewStaticKeys(c.primary, c.others...)
		e, ok := errors.AsType[*errors.Error](err)
		require.True(t, ok, what)
		require.Equal(t, errors.IDBadData, e.ID, what)
		require.Equal(t, c.detail, e.Details["key"], what)
	}
	_, err := seal.NewStaticKeys(key(strings.Repeat("k", 255), 1))
	require.NoError(t, err)
}

func TestStaticKeysUnwrapWhatTheyWrapped(t *testing.T) {
	t.Parallel()
	data, additional := []byte("0123456789abcdef0123456789abcdef"), []byte("place")
	keys := ring(t, key1, key2)
	id, wrapped, err := keys.Wrap(t.Context(), data, additional)
	require.NoError(t, err)
	require.Equal(t, "one", id)
	require.NotContains(t, string(wrapped), string(data[:8]))
	back, err := keys.Unwrap(t.Context(), id, wrapped, additional)
	require.NoError(t, err)
	require.Equal(t, data, back)

	_, again, err := keys.Wrap(t.Context(), data, additional)
	require.NoError(t, err)
	require.NotEqual(t, wrapped, again)

	_, err = keys.Unwrap(t.Context(), "three", wrapped, additional)
	require.ErrorIs(t, err, seal.ErrUnknownKey)
	for _, c := range []struct {
		id                  string
		wrapped, additional []byte
	}{
		{"two", wrapped, additional},
		{"one", wrapped, []byte("elsewhere")},
		{"one", wrapped[1:], additional},
		{"one", wrapped[:11], additional},
		{"one", nil, additional},
	} {
		_, err = keys.Unwrap(t.Context(), c.id, c.wrapped, c.additional)
		require.ErrorIs(t, err, seal.ErrCannotOpen)
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	t.Parallel()
	k := seal.Key{ID: "k", Material: store.NewSecret(strings.Repeat("leak", 8))}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		require.NotContains(t, fmt.Sprintf(verb, k), "leak")
		require.NotContains(t, fmt.Sprintf(verb, ring(t, k)), "leak")
	}
}
