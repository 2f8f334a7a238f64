package macaroonrequest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon/macaroonrequest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// A file service gives out tokens for its files. Alice asks for one with her
// password, to read a directory for an hour.
func ExampleNew() {
	authority := newAuthority()
	files := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		access := caveat.Read
		if r.Method == http.MethodPut {
			access = caveat.Write
		}
		path := strings.TrimPrefix(r.URL.Path, "/files")
		if err := client.CheckFile(caveat.File{Path: path}, access); err != nil {
			rest.WriteError(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent) // it has no files, in truth
	})
	mux := http.NewServeMux()
	mux.Handle("/files/", files)
	mux.Handle("POST /files/", http.StripPrefix("/files", macaroonrequest.New(macaroonrequest.Options{Authority: authority})))
	service := rest.Authenticate(authority, rest.AllowDataCaveats())(rest.RequireClient()(mux))

	r := httptest.NewRequest(http.MethodPost, "/files/space1/results",
		strings.NewReader(`{"caveats": ["activity:DOWNLOAD,LIST"], "validity": "PT1H"}`))
	r.Header.Set("Content-Type", macaroonrequest.ContentType)
	r.SetBasicAuth("alice", "correct horse battery")
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	var answer struct {
		Macaroon  string
		ExpiresIn int `json:"expires_in"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		panic(err)
	}
	fmt.Println("valid for", answer.ExpiresIn, "s")

	for _, request := range []string{"GET /files/space1/results/a", "PUT /files/space1/results/a", "GET /files/space1/b"} {
		method, path, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Authorization", "Bearer "+answer.Macaroon)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		fmt.Println(request, w.Code)
	}
	// Output:
	// valid for 3600 s
	// GET /files/space1/results/a 204
	// PUT /files/space1/results/a 401
	// GET /files/space1/b 401
}
