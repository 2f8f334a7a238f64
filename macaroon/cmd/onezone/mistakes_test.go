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
	require.NoError(t, os.WriteFile(in("public.key"), []byte(keyLine("2026", "a")), 0o644))
	require.NoError(t, os.Mkdir(in("directory"), 0o700))
	cert, key := newCertificate(t, dir)
	require.NoError(t, os.Mkdir(in("other"), 0o700))
	_, otherKey := newCertificate(t, in("other"))
	_, err := order(t, in("users.db"), "", "user", "add", "--no-password", "alice")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(in("other.key"), []byte(keyLine("2027", "b")), 0o600))
	require.NoError(t, os.WriteFile(in("first.key"), []byte(keyLine("2026", "a")), 0o600))
	_, err = order(t, in("sealed.db"), "", "user", "add", "--generate", "--seal-key-file", in("first.key"), "alice")
	require.NoError(t, err)
	_, err = order(t, in("users.db"), "", "user", "add", "--generate", "carol")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(in("misspelled.toml"), []byte("domain = \"a.example\"\nadress = \"x\"\n"), 0o600))
	newer := in("newer.db")
	_, err = order(t, newer, "", "user", "add", "--no-password", "alice")
	require.NoError(t, err)
	db, err := sql.Open("sqlite", newer)
	require.NoError(t, err)
	_, err = db.Exec("UPDATE onezone_schema_version SET version = 1000")
	require.NoError(t, errors.Join(err, db.Close()))

	const memory = "memory:"
	serve := func(args ...string) []string { return append([]string{"serve"}, args...) }
	tables := []mistake{
		{"no command", nil, nil, 2, []string{"onezone needs a command: completion, config, "}},
		{"an unknown command", nil, []string{"sevre"}, 2, []string{`unknown command "sevre" for onezone, did you mean serve?`}},
		{"an unknown command with a flag", nil, []string{"usr", "--store", "x"}, 2, []string{`unknown command "usr" for onezone, did you mean user?`}},
		{"an unknown command of a group", nil, []string{"user", "passwrd", "alice"}, 2, []string{`unknown command "passwrd" for onezone user, did you mean passwd?`}},
		{"help about nothing", nil, []string{"help", "setings"}, 2, []string{`unknown command "setings" for onezone, did you mean settings?`}},
		{"help about nothing in a group", nil, []string{"help", "user", "ad"}, 2, []string{`unknown command "ad" for onezone user, did you mean add?`}},
		{"a group alone", nil, []string{"user"}, 2, []string{"onezone user needs a command: add, "}},
		{"an unknown flag", nil, serve("--adress", "x"), 2, []string{"unknown flag --adress for onezone serve, did you mean --address?"}},
		{"a flag with one dash", nil, serve("-address", "x"), 2, []string{"unknown flag -address; flags have two dashes: --address"}},
		{"a flag without a value", nil, serve("--store"), 2, []string{"--store needs a value: --store STORE"}},
		{"a flag of another command", nil, []string{"user", "add", "--address", "x", "alice"}, 2, []string{"unknown flag --address for onezone user add"}},
		{"an argument", nil, serve("now"), 2, []string{`unexpected argument "now": onezone serve takes only flags`}},
		{"no name", nil, []string{"user", "add"}, 2, []string{"onezone user add needs NAME; the usage is: onezone user add NAME"}},
		{"an empty name", nil, []string{"user", "block", ""}, 2, []string{"onezone user block needs NAME, which must not be empty"}},
		{"two names", nil, []string{"user", "block", "alice", "bob"}, 2, []string{`unexpected argument "bob"`}},
		{"an unknown shell", nil, []string{"completion", "csh"}, 2, []string{`there are no completions for csh, only for bash, fish, zsh`}},
		{"a number without a unit", nil, serve("--drain", "5"), 2, []string{`"5" for flag --drain: want a number with a unit, such as 500ms`}},
		{"an invalid level", nil, serve("--log-level", "loud"), 2, []string{`"loud" for flag --log-level: want debug, info, warn or error`}},
		{"an invalid format", nil, serve("--log-format", "xml"), 2, []string{`"xml" for flag --log-format: want text or json`}},
		{"an invalid network", nil, serve("--trusted-proxies", "10.0.0.300/8"), 2, []string{`"10.0.0.300/8" for flag --trusted-proxies: want networks`}},
		{"an invalid size", nil, serve("--max-header-bytes", "16k"), 2, []string{`"16k" for flag --max-header-bytes: want a whole number of at least 4096`}},
		{"no connections", nil, serve("--max-connections", "0"), 2, []string{`--max-connections: want a whole number of at least 1`}},
		{"several at once", nil, serve("--max-temporary-ttl", "0s", "--drain", "-1s"), 2, []string{"--max-temporary-ttl must be at least 1s", "--drain"}},
		{"one file of two", nil, serve("--tls-cert", cert), 2, []string{"--tls-cert and --tls-key must be given together"}},
		{"a variable", []string{"ONEZONE_STORE_TIMEOUT=hunter2"}, serve(), 2, []string{"ONEZONE_STORE_TIMEOUT is not valid for --store-timeout: want a number with a unit, such as 500ms"}},
		{"two variables", []string{"ONEZONE_DRAIN=x", "ONEZONE_CACHE=x"}, serve(), 2, []string{"ONEZONE_CACHE", "ONEZONE_DRAIN"}},
		{"no such configuration", nil, serve("--config", in("no.toml")), 2, []string{"--config: open " + in("no.toml")}},

		{"no issuer", nil, serve("--oidc-prefix", "egi:"), 2, []string{"--oidc-issuer is missing, which the other --oidc flags are about"}},
		{"an issuer without TLS", nil, serve("--oidc-issuer", "http://a.example"), 2, []string{`--oidc-issuer: "http://a.example" must begin with https://`}},
		{"no prefix", nil, serve("--oidc-issuer", "https://a.example"), 2, []string{`--oidc-prefix: "" is not a prefix such as "egi:"`}},
		{"no audience", nil, serve("--oidc-issuer", "https://a.example", "--oidc-prefix", "egi:"), 2,
			[]string{"--oidc-audience must have the name of this service at the issuer, unless --oidc-any-audience is set"}},
		{"groups without their claim", nil, serve("--oidc-issuer", "https://a.example", "--oidc-prefix", "egi:", "--oidc-any-audience", "--oidc-allowed-group", "a"), 2,
			[]string{"--oidc-groups-claim must be given together with --oidc-allowed-group"}},

		{"an address without a port", nil, serve("--address", "nope"), 2, []string{`--address "nope" is not HOST:PORT`}},
		{"an invalid port", nil, serve("--address", "127.0.0.1:99999"), 2, []string{`--address "127.0.0.1:99999" is not HOST:PORT`}},
		{"an origin with a path", nil, serve("--origin", "https://a.example/x"), 2, []string{"--origin must be a scheme and a host without a path, such as https://"}},
		{"an origin without a scheme", nil, serve("--origin", "a.example"), 2, []string{"--origin must be a scheme and a host"}},
		{"a domain with a space", nil, serve("--domain", "a b"), 2, []string{`--domain "a b" is not a host name`}},
		{"a port in the domain", nil, serve("--domain", "a.example:80"), 2, []string{`--domain "a.example:80" is not`}},

		{"an unknown store", nil, serve("--store", "mysql://u:hunter2@db"), 2, []string{"--store must be sqlite:PATH"}},
		{"a path in memory", nil, serve("--store", "memory:x"), 2, []string{"memory: alone"}},
		{"no path", nil, serve("--store", "sqlite:"), 2, []string{"--store sqlite: needs a path"}},
		{"a slash in a password", nil, serve("--store", "postgres://u:hunter2/x@127.0.0.1:5432/db"), 2, []string{"with the special characters of a password percent-encoded"}},
		{"a bad port of Redis", nil, serve("--store", "redis://u:hunter2@127.0.0.1:x/0"), 2, []string{"--store redis://... is not a URL"}},
		{"a URL without slashes", nil, serve("--store", "postgres:hunter2"), 2, []string{"--store postgres://... is not a URL"}},
		{"resealing without keys", nil, []string{"store", "reseal"}, 2, []string{"onezone store reseal needs --seal-key-file"}},
		{"secrets in memory", nil, []string{"store", "reseal", "--seal-key-file", "k", "--store", memory}, 2, []string{"give a --store that lasts"}},
		{"a user in memory", nil, []string{"user", "add", "--store", memory, "alice"}, 2, []string{"give a --store that lasts"}},
	}
	demo := func(args ...string) []string { return append([]string{"serve", "--demo", "--store", memory}, args...) }
	over := func(store string) []string { return []string{"serve", "--demo", "--store", store} }
	return append(tables, []mistake{
		{"a port that is taken", nil, demo("--address", busy), 1,
			[]string{"--address " + busy + ": bind: address already in use; end the program that listens there, or choose another port"}},
		{"an address of others", nil, demo("--address", "203.0.113.9:19080"), 1, []string{"--address 203.0.113.9:19080: bind: "}},
		{"a certificate that is not there", nil, demo("--tls-cert", in("no.pem"), "--tls-key", key), 1, []string{"--tls-cert: open " + in("no.pem")}},
		{"a key that is not there", nil, demo("--tls-cert", cert, "--tls-key", in("no.pem")), 1, []string{"--tls-key: open " + in("no.pem")}},
		{"an invalid certificate", nil, demo("--tls-cert", in("text"), "--tls-key", key), 1, []string{"--tls-cert " + in("text")}},
		{"another's key", nil, demo("--tls-cert", cert, "--tls-key", otherKey), 1, []string{"--tls-key " + otherKey}},
		{"a geo database that is not there", nil, demo("--geoip", in("no.mmdb")), 1, []string{"--geoip: opening geo databases: loading " + in("no.mmdb") + ": stat"}},
		{"an invalid geo database", nil, demo("--geoip", in("text")), 1, []string{"--geoip: opening geo databases: loading " + in("text")}},
		{"seal keys that are not there", nil, demo("--seal-key-file", in("no.key")), 1, []string{"--seal-key-file " + in("no.key")}},
		{"seal keys that are none", nil, demo("--seal-key-file", in("text")), 1, []string{"--seal-key-file " + in("text")}},
		{"seal keys that others can read", nil, demo("--seal-key-file", in("public.key")), 1, []string{"others can read the file, its mode is 0644; run: chmod 600"}},
		{"an invalid directory", nil, over("sqlite:" + in("text/x.db")), 1, []string{"--store sqlite:" + in("text/x.db")}},
		{"a directory for a file", nil, over("sqlite:" + in("directory")), 1, []string{"--store sqlite:" + in("directory")}},
		{"a file that is no database", nil, over("sqlite:" + in("text")), 1, []string{"file is not a database"}},
		{"tables of a newer release", nil, over("sqlite:" + newer), 1, []string{"--store sqlite:" + newer + ": open a store in SQLite: the schema of the store does not fit: the tables have version 1000, but this release supports versions up to "}},
		{"no PostgreSQL there", nil, over("postgres://u:hunter2@127.0.0.1:1/db?password=hunter2"), 1, []string{"--store postgres://127.0.0.1:1/db: "}},
		{"no Redis there", nil, over("redis://u:hunter2@127.0.0.1:1/0"), 1, []string{"--store redis://127.0.0.1:1/0: "}},
		{"no store", nil, []string{"user", "list", "--store", "sqlite:" + in("absent.db")}, 1, []string{"stat " + in("absent.db") + ": no such file or directory; onezone serve, user add and store migrate create a store"}},
		{"an unknown user", nil, []string{"user", "block", "--store", "sqlite:" + in("users.db"), "bob"}, 1, []string{`there is no user "bob"; onezone user list lists all`}},
		{"an admin port that is taken", nil, demo("--address", "127.0.0.1:0", "--admin-address", busy), 1,
			[]string{"--admin-address " + busy + ": bind: address already in use"}},
		{"a sealed store without a key", nil, over("sqlite:" + in("sealed.db")), 1,
			[]string{"--store sqlite:" + in("sealed.db") + " needs --seal-key-file FILE, with the key that it was sealed with"}},
		{"a sealed store with another key", nil, append(over("sqlite:"+in("sealed.db")), "--seal-key-file", in("other.key")), 1,
			[]string{"--seal-key-file " + in("other.key") + " does not hold the key that --store sqlite:" + in("sealed.db") + " is sealed with"}},
		{"keys for a store in clear", nil, append(over("sqlite:"+in("users.db")), "--seal-key-file", in("other.key")), 1,
			[]string{"was in use without --seal-key-file and holds secrets in clear; run: onezone store seal"}},
		{"a backup that is not there", nil, []string{"store", "restore", "--store", "sqlite:" + in("fresh.db"), in("no.backup")}, 1, []string{"open " + in("no.backup")}},
		{"a backup that is none", nil, []string{"store", "restore", "--store", "sqlite:" + in("fresh.db"), in("text")}, 1,
			[]string{in("text") + ": the backup cannot be used: the first line is not that of a backup"}},
		{"a backup that exists", nil, []string{"store", "backup", "--store", "sqlite:" + in("users.db"), in("text")}, 1, []string{in("text") + " exists; choose another name"}},
		{"users that are not there", nil, []string{"user", "import", "--store", "sqlite:" + in("users.db"), in("no.csv")}, 1, []string{"open " + in("no.csv")}},
		{"users without a header", nil, []string{"user", "import", "--store", "sqlite:" + in("users.db"), in("text")}, 1,
			[]string{in("text") + ": the first line must be the header username,fullName,password; "}},
		{"a password without a line", nil, []string{"user", "passwd", "--store", "sqlite:" + in("users.db"), "alice"}, 1,
			[]string{"the first line of standard input must be the password, but is empty; --generate makes a random one"}},
		{"a password as an argument", nil, []string{"user", "add", "--store", "sqlite:" + in("users.db"), "bob", "hunter2"}, 2,
			[]string{"a password must not be an argument, because others on this machine can see it"}},
		{"a copy of what is no store", nil, []string{"store", "copy", "users.db", "sqlite:" + in("fresh.db")}, 2,
			[]string{"SRC is not a store that can be copied: --store must be sqlite:PATH"}},
		{"a copy of what is not there", nil, []string{"store", "copy", "sqlite:" + in("absent.db"), "sqlite:" + in("fresh.db")}, 1, []string{in("absent.db") + ": no such file"}},
		{"a copy into memory", nil, []string{"store", "copy", "sqlite:" + in("users.db"), memory}, 2, []string{"DST is not a store that can be copied: records in memory"}},
		{"a misspelled key of the configuration", nil, serve("--config", in("misspelled.toml")), 2,
			[]string{in("misspelled.toml") + `, line 2: unknown key "adress", did you mean address?`}},
		{"a configuration that is none", nil, serve("--config", in("text")), 2, []string{"--config " + in("text") + ": line 1 is not TOML"}},
		{"an audit file in no directory", nil, demo("--audit", in("no/audit")), 1, []string{"--audit: open " + in("no/audit")}},
	}...)
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
