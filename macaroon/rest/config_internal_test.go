package rest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/memory"
)

// An option without an effect on NewHandler or Authenticate is never ignored
// silently: the function logs a warning, and changes nothing.
func TestOptionsWithoutEffectLogAWarning(t *testing.T) {
	t.Parallel()
	both := []purpose{forAPI, forMiddleware}
	options := map[string]struct {
		option  Option
		applies []purpose
	}{
		"WithRights":           {WithRights(&ruleRights{}), []purpose{forAPI}},
		"WithDataScopes":       {WithDataScopes(struct{ DataScopes }{}), []purpose{forAPI}},
		"WithoutInheritance":   {WithoutInheritance(), []purpose{forAPI}},
		"WithOrigin":           {WithOrigin("http://localhost"), []purpose{forAPI}},
		"WithConfiguration":    {WithConfiguration(Configuration{Name: "n"}), []purpose{forAPI}},
		"AllowDataCaveats":     {AllowDataCaveats(), []purpose{forMiddleware}},
		"CheckLater":           {CheckLater("tenant"), []purpose{forMiddleware}},
		"AsService":            {AsService(caveat.Service{Type: caveat.OpWorker, ID: "p"}), []purpose{forMiddleware}},
		"AcceptIdentityTokens": {AcceptIdentityTokens(), []purpose{forMiddleware}},
		"AsInterface":          {AsInterface(caveat.Oneclient), []purpose{forMiddleware}},
		"WithIdentityProvider": {WithIdentityProvider(struct{ IdentityProvider }{}), both},
		"WithSessionFrom":      {WithSessionFrom(func(*http.Request) string { return "" }), both},
		"WithTrustedProxies":   {WithTrustedProxies(), both},
		"WithMaxInFlight":      {WithMaxInFlight(3), both},
		"WithoutBasicAuth":     {WithoutBasicAuth(), both},
		"WithAllowedOrigins":   {WithAllowedOrigins("https://app.example.com"), both},
		"WithDischarges":       {WithDischarges("X-Discharges"), both},
		"WithLogger":           {WithLogger(slog.Default()), both},
		"WithActorObserver":    {WithActorObserver(nil), both},
	}
	a, err := macaroon.NewAuthority(memory.New())
	require.NoError(t, err)
	for _, name := range declaredOptions(t) {
		o, ok := options[name]
		require.True(t, ok, "%s is not in the table", name)
		for _, p := range both {
			var log bytes.Buffer
			logged := WithLogger(slog.New(slog.NewTextHandler(&log, nil)))
			plain, c := newConfig(p, a, []Option{logged}), newConfig(p, a, []Option{o.option, logged})
			if !slices.Contains(o.applies, p) {
				require.Contains(t, log.String(), "option="+name+" function="+string(p))
				require.Equal(t, 1, strings.Count(log.String(), "\n"))
				plain.log, c.log, c.unused, plain.inFlight, c.inFlight = nil, nil, nil, nil, nil
				require.Equal(t, plain, c, "%s changes something of %s", name, p)
				continue
			}
			require.Empty(t, log.String(), "%s is for %s", name, p)
		}
	}
}

// declaredOptions are the names of the functions of this package that return an
// Option.
func declaredOptions(t *testing.T) (names []string) {
	t.Helper()
	for _, file := range []string{"config.go", "actor.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() || fn.Type.Results == nil {
				continue
			}
			if result, ok := fn.Type.Results.List[0].Type.(*ast.Ident); ok && result.Name == "Option" {
				names = append(names, fn.Name.Name)
			}
		}
	}
	require.GreaterOrEqual(t, len(names), 17)
	return names
}
