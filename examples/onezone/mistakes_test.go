package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mistake is a start that must fail.
type mistake struct {
	name string
	env  []string // NAME=VALUE
	args []string
	code int
	want []string // one for each line on standard error
}

// mistakes returns common mistakes, with files in the directory. busy is an
// address in use.
func mistakes(t *testing.T, dir, busy string) []mistake {
	t.Helper()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(in("text"), []byte(strings.Repeat("this is neither a database nor a key\n", 100)), 0o600))
	require.NoError(t, os.Mkdir(in("directory"), 0o700))
	cert, key := newCertificate(t, dir)
	require.NoError(t, os.Mkdir(in("other"), 0o700))
	_, otherKey := newCertificate(t, in("other"))
	newer := in("newer.db")
	_, err := order(t, newer, "", "-create-user", "alice")
	require.NoError(t, err)
	db, err := sql.Open("sqlite", newer)
	require.NoError(t, err)
	_, err = db.Exec("UPDATE onezone_schema_version SET version = 1000")
	require.NoError(t, errors.Join(err, db.Close()))

	const memory = "memory:"
	return []mistake{
		{"an unknown flag", nil, []string{"-adress", "x"}, 2, []string{"-adress; -help lists all flags"}},
		{"an argument", nil, []string{"serve"}, 2, []string{`"serve"`}},
		{"a number without a unit", nil, []string{"-drain", "5"}, 2, []string{`"5" for flag -drain: want a number with a unit, such as 500ms`}},
		{"an invalid level", nil, []string{"-log-level", "loud"}, 2, []string{`"loud" for flag -log-level: want debug, info, warn or error`}},
		{"an invalid network", nil, []string{"-trusted-proxies", "10.0.0.300/8"}, 2, []string{`"10.0.0.300/8" for flag -trusted-proxies`}},
		{"an invalid size", nil, []string{"-max-header-bytes", "16k"}, 2, []string{`"16k" for flag -max-header-bytes: want a whole number of at least 4096`}},
		{"no connections", nil, []string{"-max-connections", "0"}, 2, []string{`-max-connections: want a whole number of at least 1`}},
		{"several at once", nil, []string{"-log-format", "xml", "-drain", "-1s"}, 2, []string{"-log-format \"xml\" must be text or json", "-drain"}},
		{"one file of two", nil, []string{"-tls-cert", cert}, 2, []string{"-tls-cert and -tls-key must be given together"}},
		{"a variable", []string{"ONEZONE_STORE_TIMEOUT=hunter2"}, nil, 2, []string{"ONEZONE_STORE_TIMEOUT is not valid for -store-timeout: want a number with a unit, such as 500ms or 5s"}},
		{"two variables", []string{"ONEZONE_DRAIN=x", "ONEZONE_CACHE=x"}, nil, 2, []string{"ONEZONE_CACHE", "ONEZONE_DRAIN"}},
		{"an order without a name", nil, []string{"-block", ""}, 2, []string{"-block needs the name of a user"}},

		{"an address without a port", nil, []string{"-address", "nope"}, 2, []string{`-address "nope" is not HOST:PORT`}},
		{"an invalid port", nil, []string{"-address", "127.0.0.1:99999"}, 2, []string{`-address "127.0.0.1:99999" is not HOST:PORT`}},
		{"an origin with a path", nil, []string{"-origin", "https://a.example/x"}, 2, []string{"-origin must be a scheme and a host without a path, such as https://"}},
		{"an origin without a scheme", nil, []string{"-origin", "a.example"}, 2, []string{"-origin must be a scheme and a host"}},
		{"a domain with a space", nil, []string{"-domain", "a b"}, 2, []string{`-domain "a b" is not a host name`}},
		{"a port in the domain", nil, []string{"-domain", "a.example:80"}, 2, []string{`-domain "a.example:80" is not`}},

		{"an unknown store", nil, []string{"-store", "mysql://u:hunter2@db"}, 2, []string{"-store must be sqlite:PATH"}},
		{"a path in memory", nil, []string{"-store", "memory:x"}, 2, []string{"memory: alone"}},
		{"no path", nil, []string{"-store", "sqlite:"}, 2, []string{"-store sqlite: needs a path"}},
		{"a slash in a password", nil, []string{"-store", "postgres://u:hunter2/x@127.0.0.1:5432/db"}, 2, []string{"with the special characters of a password percent-encoded"}},
		{"a bad port of Redis", nil, []string{"-store", "redis://u:hunter2@127.0.0.1:x/0"}, 2, []string{"-store redis://... is not a URL"}},
		{"a URL without slashes", nil, []string{"-store", "postgres:hunter2"}, 2, []string{"-store postgres://... is not a URL"}},
		{"an order without keys", nil, []string{"-reseal"}, 2, []string{"-reseal needs -seal-key-file"}},
		{"half an order", nil, []string{"-seal-plaintext"}, 2, []string{"-seal-plaintext needs -reseal"}},
		{"two orders", nil, []string{"-reseal", "-seal-key-file", "k", "-block", "a"}, 2, []string{"-reseal or -block"}},
		{"secrets in memory", nil, []string{"-reseal", "-seal-key-file", "k", "-store", memory}, 2, []string{"give a -store that lasts"}},
		{"a user in memory", nil, []string{"-store", memory, "-create-user", "alice"}, 2, []string{"give a -store that lasts"}},

		{"a port that is taken", nil, []string{"-store", memory, "-demo", "-address", busy}, 1,
			[]string{"-address " + busy + ": bind: address already in use; end the program that listens there, or choose another port"}},
		{"an address of others", nil, []string{"-store", memory, "-demo", "-address", "203.0.113.9:19080"}, 1, []string{"-address 203.0.113.9:19080: bind: "}},
		{"a certificate that is not there", nil, []string{"-store", memory, "-demo", "-tls-cert", in("no.pem"), "-tls-key", key}, 1, []string{"-tls-cert: open " + in("no.pem")}},
		{"a key that is not there", nil, []string{"-store", memory, "-demo", "-tls-cert", cert, "-tls-key", in("no.pem")}, 1, []string{"-tls-key: open " + in("no.pem")}},
		{"an invalid certificate", nil, []string{"-store", memory, "-demo", "-tls-cert", in("text"), "-tls-key", key}, 1, []string{"-tls-cert " + in("text")}},
		{"another's key", nil, []string{"-store", memory, "-demo", "-tls-cert", cert, "-tls-key", otherKey}, 1, []string{"-tls-key " + otherKey}},
		{"seal keys that are not there", nil, []string{"-store", memory, "-demo", "-seal-key-file", in("no.key")}, 1, []string{"-seal-key-file " + in("no.key")}},
		{"seal keys that are none", nil, []string{"-store", memory, "-demo", "-seal-key-file", in("text")}, 1, []string{"-seal-key-file " + in("text")}},
		{"an invalid directory", nil, []string{"-store", "sqlite:" + in("text/x.db"), "-demo"}, 1, []string{"-store sqlite:" + in("text/x.db")}},
		{"a directory for a file", nil, []string{"-store", "sqlite:" + in("directory"), "-demo"}, 1, []string{"-store sqlite:" + in("directory")}},
		{"a file that is no database", nil, []string{"-store", "sqlite:" + in("text"), "-demo"}, 1, []string{"file is not a database"}},
		{"tables of a newer release", nil, []string{"-store", "sqlite:" + newer, "-demo"}, 1, []string{"-store sqlite:" + newer + ": "}},
		{"no PostgreSQL there", nil, []string{"-store", "postgres://u:hunter2@127.0.0.1:1/db?password=hunter2", "-demo"}, 1, []string{"-store postgres://127.0.0.1:1/db: "}},
		{"no Redis there", nil, []string{"-store", "redis://u:hunter2@127.0.0.1:1/0", "-demo"}, 1, []string{"-store redis://127.0.0.1:1/0: "}},
		{"an unknown user", nil, []string{"-store", "sqlite:" + in("users.db"), "-block", "bob"}, 1, []string{`there is no user "bob": notFound`}},
	}
}

// Each error says in one line what to change and where. The program does not
// print that it serves, or a password, before it serves.
func TestErrorsAtTheStartTakeOneLineEach(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dir := t.TempDir()
	for _, m := range mistakes(t, dir, l.Addr().String()) {
		t.Run(m.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, binary(t), m.args...)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), m.env...)
			var out, log bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &log
			_ = cmd.Run()
			require.Equal(t, m.code, cmd.ProcessState.ExitCode(), log.String())
			require.Empty(t, out.String())
			lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
			require.Len(t, lines, len(m.want), log.String())
			for i, want := range m.want {
				require.True(t, strings.HasPrefix(lines[i], "onezone: "), lines[i])
				require.Contains(t, lines[i], want)
			}
			require.NotContains(t, log.String(), "serving")
			require.NotContains(t, log.String(), "hunter2", "a password that is in a setting")
		})
	}
}

func TestHelpIsNotAnError(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(binary(t), "-help").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "-store")
}
