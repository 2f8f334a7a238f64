//go:build e2e && failover && linux

package failover_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	// x/sys/unix: the standard library cannot enter a network namespace.
	"golang.org/x/sys/unix"
)

// insideEnv marks the process of the tests that runs in a network namespace.
const insideEnv = "ONEZONE_FAILOVER_INSIDE"

// bridge connects the hosts in the namespace of the tests.
const bridge = "hosts"

// reexec runs this program again in a network namespace of its own, so that
// hosts cannot disturb the machine and vanish with the process. ran is false if
// namespaces are not allowed here.
func reexec() (code int, ran bool) {
	if *processes {
		return 0, false
	}
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	runtime.LockOSThread() // Pdeathsig is about the thread
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "hosts are processes, because network namespaces are not possible here:", err)
		return 0, false
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitNoBridge {
		return max(code, -code), true // -1 after a signal
	}
	return 0, false
}

// exitNoBridge is the exit code of a process that cannot connect namespaces.
const exitNoBridge = 77

// connectNamespaces prepares the namespace of this process for hosts.
func connectNamespaces() error {
	for _, args := range []string{
		"link set lo up",
		"link add " + bridge + " type bridge",
		"addr add 10.77.0.1/16 dev " + bridge,
		"link set " + bridge + " up",
	} {
		if err := ip(args); err != nil {
			return err
		}
	}
	return nil
}

func ip(args string) error {
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", args, err, out)
	}
	return nil
}

// host is a machine that can be cut off the network: a network namespace, or
// processes of this one behind proxies.
type host struct {
	ip     string // by which others know it
	listen string // on which its servers listen

	namespace *os.File // nil: none
	link      string
	proxies   *proxies // nil: none
}

var hosts atomic.Int64

func newHost(tb testing.TB) *host {
	tb.Helper()
	n := hosts.Add(1)
	var h *host
	var err error
	if os.Getenv(insideEnv) != "" {
		h, err = newNamespace(n)
	} else {
		h, err = newProxied(n), nil
	}
	if err != nil {
		tb.Fatalf("make a host: %v", err)
	}
	tb.Cleanup(h.close)
	return h
}

func newNamespace(n int64) (*host, error) {
	h := &host{ip: fmt.Sprintf("10.77.%d.%d", 1+n/200, 1+n%200), link: fmt.Sprint("host", n)}
	h.listen = h.ip
	err := onThread(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		// Not "self", which is the first thread.
		h.namespace, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := ip(fmt.Sprintf("link add %s type veth peer name eth0 netns /proc/%d/fd/%d", h.link, os.Getpid(), h.namespace.Fd())); err != nil {
		return nil, err
	}
	if err := ip("link set " + h.link + " master " + bridge + " up"); err != nil {
		return nil, err
	}
	return h, h.run(func() error {
		for _, args := range []string{"link set lo up", "addr add " + h.ip + "/16 dev eth0", "link set eth0 up"} {
			if err := ip(args); err != nil {
				return err
			}
		}
		return nil
	})
}

// onThread calls do on a thread that ends with it.
func onThread(do func() error) error {
	ended := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock, so that the thread is not reused
		ended <- do()
	}()
	return <-ended
}

// run calls do on the host: the processes that it starts have the host's
// network.
func (h *host) run(do func() error) error {
	if h.namespace == nil {
		return do()
	}
	return onThread(func() error {
		if err := unix.Setns(int(h.namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return do()
	})
}

// expose makes a server of the host reachable, and returns the address by which
// others know it.
func (h *host) expose(address string) (string, error) {
	if h.proxies == nil {
		return address, nil
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	front := net.JoinHostPort(h.ip, port)
	return front, h.proxies.start(front, address)
}

// cut drops all packets from and to the host.
func (h *host) cut() error {
	if h.proxies != nil {
		h.proxies.hold(true)
		return nil
	}
	return ip("link set " + h.link + " down")
}

// restore ends cut.
func (h *host) restore() error {
	if h.proxies != nil {
		h.proxies.hold(false)
		return nil
	}
	return ip("link set " + h.link + " up")
}

func (h *host) close() {
	if h.proxies != nil {
		h.proxies.close()
		return
	}
	_ = h.namespace.Close()
	_ = ip("link del " + h.link)
}
