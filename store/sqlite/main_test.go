package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/sqlite"
)

// taskVariable makes the test binary run one task as a separate process,
// instead of tests.
const taskVariable = "ONEZONE_SQLITE_TEST_TASK"

// tasks are the tasks of separate processes.
var tasks = map[string]func(args []string) error{
	"mint":    mint,
	"contend": contendTask,
	"migrate": migrateTask,
}

func TestMain(m *testing.M) {
	task := os.Getenv(taskVariable)
	if task == "" {
		os.Exit(m.Run())
	}
	if err := tasks[task](os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, task, "failed:", err)
		os.Exit(1)
	}
}

// process is a running process with a task.
type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start starts a process and waits until it reports that it is ready.
func start(t *testing.T, task string, args ...string) process {
	t.Helper()
	p := process{Cmd: exec.Command(os.Args[0], args...)}
	p.Env = append(os.Environ(), taskVariable+"="+task)
	p.Stderr = os.Stderr
	var err error
	p.in, err = p.StdinPipe()
	require.NoError(t, err)
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewReader(out)
	require.NoError(t, p.Start())
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	line, err := p.out.ReadString('\n')
	require.NoError(t, err, "the process did not start")
	require.Equal(t, "ready\n", line)
	return p
}

// goAhead is the line that makes waiting processes begin at the same time.
func (p process) goAhead(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(p.in, "go\n")
	require.NoError(t, err)
}

func awaitGoAhead() error {
	fmt.Println("ready")
	return second(bufio.NewReader(os.Stdin).ReadString('\n'))
}

// mint issues named tokens to alice until it is killed, and prints the id and
// text of each. The arguments are the file, the prefix of the names, and the
// number of concurrent callers.
func mint(args []string) error {
	s, err := sqlite.Open(context.Background(), args[0], sqlite.Options{})
	if err != nil {
		return err
	}
	authority, err := macaroon.NewAuthority(s)
	if err != nil {
		return err
	}
	callers, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return errors.Join(atOnce(callers, func(caller int) error {
		for i := 0; ; i++ {
			name := fmt.Sprint(args[1], " ", caller, " ", i)
			token, err := authority.IssueNamed(context.Background(), name, macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
			if err != nil {
				return err
			}
			fmt.Println(token.ID(), token.String()) // one write
		}
	})...)
}

// contendTask runs contend with its arguments and prints the number of
// successes.
func contendTask(args []string) error {
	s, err := sqlite.Open(context.Background(), args[0], sqlite.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	writers, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	if err := awaitGoAhead(); err != nil {
		return err
	}
	succeeded, err := contend(s, args[1], "another process", writers)
	fmt.Println(succeeded)
	return err
}

func migrateTask(args []string) error {
	if err := awaitGoAhead(); err != nil {
		return err
	}
	s, err := sqlite.Open(context.Background(), args[0], sqlite.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Migrate(context.Background())
}
