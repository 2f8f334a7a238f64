// Baseline is a server for comparison with the load figures of the service. It
// has the same limits as the service, and its handler only reads the body.
//
//	go run ./internal/testing/baseline 127.0.0.1:9090
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: baseline HOST:PORT")
	}
	fmt.Println("serving on", os.Args[1])
	log.Fatal(server(os.Args[1]).ListenAndServe())
}

func server(address string) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v3/onezone/tokens/verify_access_token", empty)
	mux.HandleFunc("GET /api/v3/onezone/user/tokens/temporary", empty)
	return &http.Server{
		Addr: address, Handler: mux, MaxHeaderBytes: 2 << 20,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
}

// empty reads and ignores the body.
func empty(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}
