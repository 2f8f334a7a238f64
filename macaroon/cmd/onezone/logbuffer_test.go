package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

func TestLogLinesAreWrittenSoonAndNoneIsLostAtTheEnd(t *testing.T) {
	t.Parallel()
	var out syncbuffer.Buffer
	b := newLogBuffer(&out)
	_, err := b.Write([]byte("one\n"))
	require.NoError(t, err)
	eventually(t, func() bool { return out.String() == "one\n" }, "the line is written without Close")
	_, err = b.Write([]byte("two\n"))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	require.Equal(t, "one\ntwo\n", out.String())
}
