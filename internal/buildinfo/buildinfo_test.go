package buildinfo

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCommitSaysWhetherItWasChanged(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		recorded debug.BuildInfo
		want     string
	}{
		"nothing": {debug.BuildInfo{}, "unknown, commit unknown, "},
		"a release": {debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}, Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "5f3a1c0"}, {Key: "vcs.modified", Value: "false"},
		}}, "v0.1.0, commit 5f3a1c0, "},
		"a change": {debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
			{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: "5f3a1c0"},
		}}, "(devel), commit 5f3a1c0 with changes, "},
	} {
		require.Equal(t, test.want+runtime.Version(), read(&test.recorded).String(), name)
	}
	require.Equal(t, runtime.Version(), Read().Go)
}
