package rest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/macaroon/rest/internal/cases"
)

// Every route of the handler is tried with everything that the specification says
// about it; a route without such cases fails.
func TestRoutes(t *testing.T) {
	t.Parallel()
	byRoute := map[string][]cases.Case{}
	names := map[string]bool{}
	total := 0
	for _, c := range cases.All() {
		byRoute[c.Route] = append(byRoute[c.Route], c)
		name := fmt.Sprint(c.Route, c.Group, c.Name)
		require.False(t, names[name], "two cases are called %s", name)
		names[name] = true
		total++
	}
	routes := rest.Routes()
	require.Len(t, routes, 44)
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
					continue // they differ in what is asked for, not in what runs at once
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
func printTable(routes []string, byRoute map[string][]cases.Case) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	groups := []cases.Group{cases.Success, cases.Refusal, cases.BadInput, cases.Protocol, cases.Order}
	row := func(first any, counts func(cases.Group) any) {
		for _, g := range groups {
			_, _ = fmt.Fprint(w, counts(g), "\t")
		}
		_, _ = fmt.Fprintf(w, "  %v\n", first)
	}
	row("route", func(g cases.Group) any { return g })
	for _, route := range routes {
		count := map[cases.Group]int{}
		for _, c := range byRoute[route] {
			count[c.Group]++
		}
		row(route, func(g cases.Group) any { return count[g] })
	}
	_ = w.Flush()
}

// demanded are the groups of cases that a route must have.
func demanded(route string) map[cases.Group]bool {
	groups := map[cases.Group]bool{cases.Success: true, cases.Refusal: true, cases.Protocol: true, cases.Order: true}
	takesInput := strings.HasPrefix(route, "POST ") || strings.HasPrefix(route, "PATCH ")
	if takesInput && !strings.HasSuffix(route, "/client_tokens") {
		groups[cases.BadInput] = true
	}
	return groups
}
