package main

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServiceServesThePage(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--allowed-origins", "https://onezone.example.com")
	defer end()
	a := s.ask(s.url, http.MethodGet, "/", "")
	require.Equal(t, 200, a.status)
	require.Contains(t, a.body, `src="page/main.js"`)
	require.Equal(t, 200, s.ask(s.url, http.MethodGet, "/page/main.js", "").status)
	require.Equal(t, 404, s.ask(s.url, http.MethodGet, "/page/other.js", "").status)
	require.Contains(t, s.ask(s.url, http.MethodGet, "/page/settings.json", "").body, `"api":"api/v3/onezone"`)
	eventually(t, func() bool { return s.hasLogged("msg=request", "route=/page/main.js", "status=200") }, "the request is logged")

	password := printedPassword.FindStringSubmatch(s.out.String())[1]
	basic := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("demo:"+password))}
	require.Contains(t, s.out.String(), "# Or see and create tokens in a browser: "+s.url+"/\n")
	a = s.ask(s.url, http.MethodPost, "/page/log_in", "", basic...)
	require.Equal(t, 200, a.status, a.body)
	logIn := field(t, a.body, "token")
	a = s.do("POST", "/user/tokens/named", `{"name":"of the page"}`, "X-Auth-Token", logIn)
	require.Equal(t, 201, a.status, a.body)
	require.Contains(t, s.do("GET", "/user/tokens/records", "", "X-Auth-Token", logIn).body, `"name":"of the page"`)

	// A page of another site cannot log in, unless its origin is listed.
	for origin, status := range map[string]int{"https://onezone.example.com": 200, "https://evil.example.com": 403} {
		a = s.ask(s.url, http.MethodPost, "/page/log_in", "", append(basic, "Origin", origin, "Sec-Fetch-Site", "cross-site")...)
		require.Equal(t, status, a.status, origin)
	}
}

func TestPageIsTurnedOff(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--page=false")
	defer end()
	require.NotContains(t, s.out.String(), "in a browser")
	for _, path := range []string{"/", "/page/main.js", "/page/log_in"} {
		require.Equal(t, 404, s.ask(s.url, http.MethodGet, path, "").status, path)
	}
	require.Equal(t, 200, s.do("GET", "/configuration", "").status)
}
