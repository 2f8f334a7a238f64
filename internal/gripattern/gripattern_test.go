package gripattern_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/gripattern"
)

func TestExpand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, value, want string }{
		{"token.{id}.instance:private", "abc", "token.abc.instance:private"},
		{"token.{id}.instance:private", "a.b", "token./a/b.instance:private"},
		{"token.{id}.instance:private", "a:b,c", "token.a:b,c.instance:private"},
		{"token.{id}.instance:private", "*", "token./*.instance:private"},
		{"token.{id}.instance:private", "null", "token./null.instance:private"},
		{"token.{id}.instance:private", "", "token..instance:private"},
		{"token.{id}.instance:private", "{id}", "token.{id}.instance:private"},
		{"token.null.named,{id}", "a.b:c,d", "token.null.named,/a/b/c/d:private"},
		{"token.{id}.one,{id}:shared", "x", "token.x.one,x:shared"},
		{"token.{id", "x", ""}, {"{id}", "token.a.b", ""}, {"{id}.a.b", "token", ""}, {"token.a.b:{id}", "private", ""},
	} {
		g, err := gripattern.Expand(c.pattern, func(name string) string {
			require.Equal(t, "id", name)
			return c.value
		})
		if c.want == "" {
			require.ErrorIs(t, err, errors.IDBadGRI, c.pattern)
			continue
		}
		require.NoError(t, err, c.pattern)
		require.Equal(t, c.want, g.String())
	}
}
