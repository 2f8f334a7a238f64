// Package load sends requests over keep-alive connections of HTTP/1.1.
package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"
)

// Result is the outcome of a round.
type Result struct {
	Rate     float64       // answers a second
	P50, P99 time.Duration // of the time to an answer
}

// Round sends the request to a server again and again, over the given number of
// connections, for a time. An answer other than 200 is an error.
func Round(address string, request []byte, connections int, d time.Duration) (Result, error) {
	type sent struct {
		took []time.Duration
		err  error
	}
	results := make(chan sent, connections)
	start := time.Now()
	for range connections {
		go func() {
			took, err := send(address, request, start.Add(d))
			results <- sent{took, err}
		}()
	}
	var all []time.Duration
	var err error
	for range connections {
		r := <-results
		all = append(all, r.took...)
		err = errors.Join(err, r.err)
	}
	elapsed := time.Since(start)
	if err != nil {
		return Result{}, err
	}
	slices.Sort(all)
	return Result{float64(len(all)) / elapsed.Seconds(), all[len(all)/2], all[len(all)*99/100]}, nil
}

// send sends the request over one connection until the end.
func send(address string, request []byte, end time.Time) (took []time.Duration, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for before := time.Now(); before.Before(end); {
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if err := readAnswer(in); err != nil {
			return nil, err
		}
		now := time.Now()
		took = append(took, now.Sub(before))
		before = now
	}
	return took, nil
}

// readAnswer reads a response, whose length is given by Content-Length.
func readAnswer(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err == nil && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		err = fmt.Errorf("unexpected status: %s", line)
	}
	length := 0
	for err == nil && len(line) > len("\r\n") {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	if err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return err
}
