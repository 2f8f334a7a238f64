package rest

import (
	"net/http"
	"slices"
	"strings"
)

// methods answers the requests to one path: HEAD like GET, OPTIONS with the
// methods that the path allows, and other methods with 405.
func (h *handler) methods(actions map[string]http.HandlerFunc) http.Handler {
	if get := actions[http.MethodGet]; get != nil {
		actions[http.MethodHead] = get
	}
	methods := []string{http.MethodOptions}
	for method := range actions {
		methods = append(methods, method)
	}
	slices.Sort(methods)
	allow := strings.Join(methods, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if action := actions[r.Method]; action != nil {
			action(w, r)
			return
		}
		w.Header().Set("Allow", allow)
		status := http.StatusMethodNotAllowed
		if r.Method == http.MethodOptions {
			h.preflight(w, r, allow)
			status = http.StatusNoContent
		}
		w.WriteHeader(status)
	})
}

// bodyless drops the body of a response to HEAD, even if the server does not.
type bodyless struct{ http.ResponseWriter }

// Write drops the data.
func (bodyless) Write(data []byte) (int, error) { return len(data), nil }

// Unwrap is for http.ResponseController.
func (b bodyless) Unwrap() http.ResponseWriter { return b.ResponseWriter }
