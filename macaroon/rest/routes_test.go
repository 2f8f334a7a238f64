package rest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// Every route of the handler is tried with all cases of the specification; a
// route without cases fails the test.
func TestRoutes(t *testing.T) {
	t.Parallel()
	byRoute := map[string][]restcases.Case{}
	names := map[string]bool{}
	total := 0
	for _, c := range restcases.All() {
		byRoute[c.Route] = append(byRoute[c.Route], c)
		name := fmt.Sprint(c.Route, c.Group, c.Name)
		require.False(t, names[name], "two cases are called %s", name)
		names[name] = true
		total++
	}
	routes := rest.Routes()
	require.Len(t, routes, 50)
	for route := range byRoute {
		require.Contains(t, routes, route, "there are cases of a route that is not there")
	}
	for _, route := range routes {
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			missing := demanded(route)
			for i, c := range byRoute[route] {
				delete(missing, c.Group)
				if testing.Short() && i%4 > 0 {
					continue // they differ in the request, not in concurrency
				}
				t.Run(string(c.Group)+"/"+c.Name, func(t *testing.T) { c.Run(t) })
			}
			require.Empty(t, missing, "there are no cases of these groups")
		})
	}
	printTable(routes, byRoute)
	fmt.Printf("rest: %d routes, %d cases\n", len(routes), total)
}

// printTable prints how many cases there are of each group for each route.
func printTable(routes []string, byRoute map[string][]restcases.Case) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	groups := []restcases.Group{restcases.Success, restcases.Refusal, restcases.BadInput, restcases.Protocol, restcases.Order}
	row := func(first any, counts func(restcases.Group) any) {
		for _, g := range groups {
			_, _ = fmt.Fprint(w, counts(g), "\t")
		}
		_, _ = fmt.Fprintf(w, "  %v\n", first)
	}
	row("route", func(g restcases.Group) any { return g })
	for _, route := range routes {
		count := map[restcases.Group]int{}
		for _, c := range byRoute[route] {
			count[c.Group]++
		}
		row(route, func(g restcases.Group) any { return count[g] })
	}
	_ = w.Flush()
}

// demanded returns the groups of cases that a route must have.
func demanded(route string) map[restcases.Group]bool {
	groups := map[restcases.Group]bool{restcases.Success: true, restcases.Refusal: true, restcases.Protocol: true, restcases.Order: true}
	takesInput := strings.HasPrefix(route, "POST ") || strings.HasPrefix(route, "PATCH ")
	if takesInput && !strings.HasSuffix(route, "/client_tokens") && !strings.HasSuffix(route, "/revoke_family") {
		groups[restcases.BadInput] = true
	}
	return groups
}
