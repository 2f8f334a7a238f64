// Baseline is a server for comparison with the load figures of the service. It
// has the same time limits as the service. Its handlers read the body and
// answer with constants: the headers of an answer of the service, and a body of
// the same length. With -empty they answer with neither.
//
//	go run ./internal/testing/baseline 127.0.0.1:9090
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	empty := flag.Bool("empty", false, "answer without headers and body")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: baseline [-empty] HOST:PORT")
		os.Exit(2)
	}
	fmt.Println("serving on", flag.Arg(0))
	log.Fatal(server(flag.Arg(0), *empty).ListenAndServe())
}

// Answers as the service gives them.
const (
	verified   = `{"subject":{"type":"user","id":"0123456789abcdef0123456789abcdef"},"ttl":31536000}`
	generation = `{"generation":1}`
	requestID  = "01a22841-c96e-779a-87eb-c9ed9658d367"
)

func server(address string, empty bool) *http.Server {
	mux := http.NewServeMux()
	for pattern, body := range map[string]string{
		"POST /api/v3/onezone/tokens/verify_access_token": verified,
		"GET /api/v3/onezone/user/tokens/temporary":       generation,
	} {
		if empty {
			body = ""
		}
		mux.HandleFunc(pattern, answer(body))
	}
	return &http.Server{
		Addr: address, Handler: mux, MaxHeaderBytes: 2 << 20,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
}

// answer returns a handler that reads and ignores the body of a request, and
// sends a body with the headers of the service. For "" it sends neither.
func answer(body string) http.HandlerFunc {
	headers := map[string][]string{
		"Access-Control-Allow-Origin": {"*"}, "Cache-Control": {"no-store"}, "Content-Length": {strconv.Itoa(len(body))},
		"Content-Type": {"application/json"}, "X-Content-Type-Options": {"nosniff"}, "X-Request-Id": {requestID},
	}
	data := []byte(body)
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if len(data) == 0 {
			return
		}
		h := w.Header()
		for name, values := range headers {
			h[name] = values
		}
		_, _ = w.Write(data)
	}
}
