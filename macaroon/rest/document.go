package rest

import (
	_ "embed"
	"net/http"
	"strconv"
)

// documentPath is the path below [Prefix] of the OpenAPI document. Everybody
// may read it.
const documentPath = "/openapi.json"

//go:embed openapi.json
var document []byte

// serveDocument serves the OpenAPI document. It is outside the routes of the
// API because it ignores credentials: the document is the same for everybody
// until the program is replaced.
func serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(len(document)))
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(document)
}
