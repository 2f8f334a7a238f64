package nearest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/nearest"
)

func TestSimilarNamesAreFound(t *testing.T) {
	t.Parallel()
	known := []string{"id", "path", "methods", "GET", "--store", "--store-timeout"}
	for given, want := range map[string]string{
		"paht": "path", "pth": "path", "paths": "path", "apath": "path", "PATH": "path", "method": "methods", "meth": "methods",
		"get": "GET", "GTE": "GET", "di": "id", "--stor": "--store", "--store-time": "--store-timeout",
		"x": "", "xy": "", "": "", "--": "", "whatever": "",
	} {
		require.Equal(t, want, nearest.Name(given, known), given)
	}
	require.Empty(t, nearest.Name("x", nil))
}
