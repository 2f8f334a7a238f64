package backend

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

func TestColumnsRoundTrip(t *testing.T) {
	t.Parallel()
	for n := range 4 {
		var tails []store.Tail
		for i := range n {
			tails = append(tails, store.TailOf([]byte{byte(i)}))
		}
		got, err := parseTails(tailBytes(tails))
		require.NoError(t, err)
		require.Equal(t, tails, got)
	}
	_, err := parseTails(make([]byte, 33))
	require.ErrorContains(t, err, "33 bytes")
	for _, text := range []string{"secret", "", "\xff\x00"} {
		require.True(t, store.NewSecret(string(secretBytes(store.NewSecret(text)))).Equal(store.NewSecret(text)), "%q", text)
	}
	s, err := parseSubject("prv-p1")
	require.NoError(t, err)
	require.Equal(t, caveat.Provider("p1"), s)
	_, err = parseSubject("robot-1")
	require.Error(t, err)
	require.NotErrorIs(t, err, errors.IDBadData, "a damaged row is not a mistake of the caller")
}

func TestInvalidKeys(t *testing.T) {
	t.Parallel()
	require.True(t, isKey("a/ b"))
	require.True(t, isSubject("usr-a"))
	for _, text := range []string{"", "\x00", "\xff"} {
		require.False(t, isKey(text), "%q", text)
		require.False(t, isSubject("usr-"+text), "%q", text)
	}
	require.False(t, isSubject("grp-g"))
	require.False(t, isSubject("robot"))
	require.False(t, isHolder(caveat.Nobody()))
}

func TestStatus(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	require.Equal(t, store.HolderMissing, StatusOf(nil))
	require.Equal(t, store.HolderBlocked, StatusOf(&yes))
	require.Equal(t, store.HolderActive, StatusOf(&no))
}
