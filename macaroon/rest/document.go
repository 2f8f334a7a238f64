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
// none. The document is the same for everybody until the program is replaced.
func serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(len(document)))
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(document)
}
