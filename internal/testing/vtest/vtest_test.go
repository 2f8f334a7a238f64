package vtest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSuitesAreReadAsTheyArePrinted(t *testing.T) {
	t.Parallel()
	suites, err := Suites()
	require.NoError(t, err)
	for _, cases := range suites {
		require.NotEmpty(t, cases)
		back, err := parse("# a comment\n\n" + Print(cases))
		require.NoError(t, err)
		require.Equal(t, cases, back)
	}
}

func TestMalformedSuitesAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"case x\nmacaroon m\n", "case x\nverdict authorized\n", "macaroon m\nverdict authorized\n",
		"case x\nmacaroon m\nverdict maybe\n", "cave x\n", "case x\nnow later\nmacaroon m\nverdict authorized\n",
	} {
		_, err := parse(text)
		require.Error(t, err, text)
	}
}
