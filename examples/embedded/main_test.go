package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATokenIsGoodForItsProjectOnly(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, "project 42: usr-carol may build\nproject 43: refused\n", out.String())
}
