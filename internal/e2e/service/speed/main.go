// Speed compares the service with an empty handler that receives the same
// requests, and fails if the service is too slow. The service is as it is by
// default, but with a data directory of its own: SQLite, the cache and the log
// of requests. The empty handler is internal/testing/baseline. It reads the body
// and sends constants, with the headers and the length of an answer of the
// service. With -empty it sends neither headers nor a body.
//
//	go run ./internal/e2e/service/speed
//
// Short rounds of both alternate, so that other load on the machine affects
// both. Figures are medians over the rounds, ratios those of the ratios of
// neighboring rounds. The client runs on the same cores: the last columns are
// the time of the processor that each server takes for a request, without the
// client.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/onezone-go/onezone/internal/e2e/load"
	"github.com/onezone-go/onezone/macaroon/rest"
)

const (
	round        = 250 * time.Millisecond
	connections  = 32
	startTimeout = 30 * time.Second
	maxP99       = 1.5 // highest acceptable ratio
)

func main() {
	rounds := flag.Int("rounds", 80, "`rounds` of each server and case")
	empty := flag.Bool("empty", false, "compare with answers without headers and body")
	flag.Parse()
	if err := run(*rounds, *empty); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func run(rounds int, withoutAnswer bool) (err error) {
	dir, err := os.MkdirTemp("", "speed")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	const module = "github.com/onezone-go/onezone/"
	build := exec.Command("go", "build", "-o", dir, module+"macaroon/cmd/onezone", module+"internal/testing/baseline")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the servers: %w: %s", err, out)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ours, token, err := startService(ctx, dir)
	if err != nil {
		return err
	}
	empty, err := startEmpty(ctx, dir, withoutAnswer)
	if err != nil {
		return err
	}
	fmt.Println("| request | service, per second | empty handler, per second | ratio | target | p99 | of the empty handler | ratio | target | processor | of the empty handler |")
	fmt.Println("| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | --- | ---: | ---: |")
	body := fmt.Sprintf(`{"token":%q,"peerIp":"127.0.0.1","interface":"rest"}`, token)
	return errors.Join(
		compare(rounds, ours, empty, comparison{"verify_access_token", 0.85, fmt.Sprintf(
			"POST %s/tokens/verify_access_token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			rest.Prefix, len(body), body)}),
		compare(rounds, ours, empty, comparison{"authenticated GET", 0.88, fmt.Sprintf(
			"GET %s/user/tokens/temporary HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: %s\r\n\r\n", rest.Prefix, token)}),
	)
}

// comparison is a request that both servers receive.
type comparison struct {
	name    string
	target  float64 // the lowest acceptable ratio of the rates
	request string
}

// server is a running server.
type server struct {
	address string
	pid     int
}

// compare prints a row, and returns an error if a target is missed.
func compare(rounds int, ours, empty server, c comparison) error {
	servers := []server{ours, empty}
	var rates [2][]float64
	var p99s, busy [2][]time.Duration
	for n := range rounds + 2 {
		for i, s := range servers {
			before := processorTime(s.pid)
			r, err := load.Round(s.address, []byte(c.request), connections, round)
			if err != nil {
				return err
			}
			if n >= 2 { // the first are not counted
				rates[i], p99s[i] = append(rates[i], r.Rate), append(p99s[i], r.P99)
				busy[i] = append(busy[i], time.Duration(float64(processorTime(s.pid)-before)/(r.Rate*round.Seconds())))
			}
		}
	}
	rate, p99 := medianRatio(rates), medianRatio(p99s)
	fmt.Printf("| %s | %.0f | %.0f | %.2f | >= %.2f | %.1f ms | %.1f ms | %.2f | <= %.1f | %.1f us | %.1f us |\n", c.name, median(rates[0]), median(rates[1]), rate, c.target,
		median(p99s[0]).Seconds()*1000, median(p99s[1]).Seconds()*1000, p99, maxP99, median(busy[0]).Seconds()*1e6, median(busy[1]).Seconds()*1e6)
	if rate < c.target || p99 > maxP99 {
		return fmt.Errorf("%s misses a target", c.name)
	}
	return nil
}

// medianRatio returns the median of the ratios of neighboring rounds.
func medianRatio[T float64 | time.Duration](values [2][]T) float64 {
	var ratios []float64
	for i, ours := range values[0] {
		ratios = append(ratios, float64(ours)/float64(values[1][i]))
	}
	return median(ratios)
}

// median returns the median, and keeps the order of the values.
func median[T float64 | time.Duration](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// processorTime returns the time that the processor has spent on a process, 0
// where the system does not tell.
func processorTime(pid int) (total time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, file := range threads {
		var spent int64 // nanoseconds
		if text, err := os.ReadFile(file); err == nil {
			_, _ = fmt.Sscan(string(text), &spent)
		}
		total += time.Duration(spent)
	}
	return total
}

// startService starts the service and creates a named token.
func startService(ctx context.Context, dir string) (s server, token string, err error) {
	if s.address, err = freeAddress(); err != nil {
		return server{}, "", err
	}
	address, out := s.address, filepath.Join(dir, "out")
	s.pid, err = start(ctx, out, filepath.Join(dir, "onezone"), "serve", "--demo", "--address", address,
		"--admin-address=", "--store", "sqlite:"+filepath.Join(dir, "data", "onezone.db"))
	if err != nil {
		return server{}, "", err
	}
	text, err := await(out, `-u demo:(\w+) `)
	if err != nil {
		return server{}, "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+rest.Prefix+"/user/client_tokens", strings.NewReader(""))
	if err != nil {
		return server{}, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth("demo", text)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return server{}, "", err
	}
	defer func() { _ = response.Body.Close() }()
	var created struct{ Token string }
	if err := json.NewDecoder(response.Body).Decode(&created); err != nil || created.Token == "" {
		return server{}, "", fmt.Errorf("create a token: status %s: %w", response.Status, err)
	}
	return s, created.Token, nil
}

func startEmpty(ctx context.Context, dir string, withoutAnswer bool) (s server, err error) {
	if s.address, err = freeAddress(); err != nil {
		return server{}, err
	}
	out := filepath.Join(dir, "empty")
	args := []string{s.address}
	if withoutAnswer {
		args = []string{"-empty", s.address}
	}
	if s.pid, err = start(ctx, out, filepath.Join(dir, "baseline"), args...); err != nil {
		return server{}, err
	}
	_, err = await(out, `(serving)`)
	return s, err
}

// start starts a program until ctx is done. Its log is the file out.log.
func start(ctx context.Context, out, name string, args ...string) (pid int, err error) {
	stdout, err := os.Create(out)
	if err != nil {
		return 0, err
	}
	stderr, err := os.Create(out + ".log")
	if err != nil {
		return 0, err
	}
	c := exec.CommandContext(ctx, name, args...)
	c.Stdout, c.Stderr = stdout, stderr
	if err := c.Start(); err != nil {
		return 0, err
	}
	return c.Process.Pid, nil
}

// await returns the first group of the pattern when the file has it.
func await(file, pattern string) (string, error) {
	expression := regexp.MustCompile(pattern)
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if m := expression.FindSubmatch(text); m != nil {
			return string(m[1]), nil
		}
	}
	log, _ := os.ReadFile(file + ".log")
	return "", fmt.Errorf("the server does not start: %s", log)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
