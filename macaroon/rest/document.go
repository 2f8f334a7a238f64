package rest

import (
	_ "embed"
	"net/http"
	"strconv"
)

// documentPath is where, below [Prefix], the OpenAPI document of the API is.
// Everybody may read it.
const documentPath = "/openapi.json"

//go:embed openapi.json
var document []byte

// serveDocument is no route of the API: it asks for no credentials and looks at
// none.
func serveDocument(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		refuseMethod(w, http.MethodGet)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(len(document)))
	_, _ = w.Write(document)
}
