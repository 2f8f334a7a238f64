package retention_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/retention"
)

func TestASubstringKeepsTheWholeStringInMemory(t *testing.T) {
	t.Parallel()
	part, kept := retention.Within("id")
	require.Equal(t, "id", part)
	require.True(t, kept())
	runtime.KeepAlive(part)

	part, kept = retention.Within("id")
	part = strings.Clone(part)
	require.False(t, kept())
	runtime.KeepAlive(part)
}
