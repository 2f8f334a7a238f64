package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/page"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// A service with the token API and the page.
func ExampleNew() {
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		panic(err)
	}
	api, err := rest.NewHandler(authority)
	if err != nil {
		panic(err)
	}
	tokens, err := page.New(authority, page.Options{})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/{$}", tokens)
	mux.Handle("/page/", tokens)
	mux.Handle(rest.Prefix+"/", api)

	response := httptest.NewRecorder()
	mux.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/", nil))
	title, _, _ := strings.Cut(response.Body.String()[strings.Index(response.Body.String(), "<title>")+7:], "<")
	fmt.Println(response.Code, title)
	// Output: 200 Tokens · Onezone
}
