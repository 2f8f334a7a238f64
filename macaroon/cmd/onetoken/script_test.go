package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	// Tests of commands as scripts with their files, as the Go command has them.
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"onetoken": main}) }

// Each script runs against an Onezone of its own, over a socket.
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(scripts), 10)
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			t.Parallel()
			onezone := macaroontest.NewRemote(t)
			onezone.Clock.Set(time.Now())
			files := tokenFiles(t, onezone)
			testscript.Run(t, testscript.Params{
				Files: []string{script},
				Setup: func(env *testscript.Env) error { return setUp(env, onezone.Origin, files) },
				Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
					"exits": exits, "mode": mode, "field": field, "plain": plain,
					"hostile": func(*testscript.TestScript, bool, []string) {
						onezone.Behave(macaroontest.Behavior{Status: 403, Header: http.Header{"Content-Type": {"application/json"}},
							Body: `{"error":{"id":"forbidden","description":"\u001b[2J\u202e"}}`})
					},
					"down": func(*testscript.TestScript, bool, []string) { onezone.Behave(macaroontest.Unavailable()) },
				},
			})
		})
	}
}

// The guide is run as it is, apart from the address of the Onezone.
func TestTheCommandsOfTheGuideWork(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "guide.md"))
	require.NoError(t, err)
	onezone := macaroontest.NewRemote(t, macaroontest.WithAuthority(macaroon.WithLastUse(macaroon.LastUse{})))
	onezone.Clock.Set(time.Now())
	script, ran := "", 0
	for line := range strings.Lines(string(guide)) {
		if !strings.HasPrefix(line, "onetoken ") {
			continue
		}
		ran++
		command, output, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(line, "https://onezone.example.org", "$ONEZONE")), " > ")
		command, input, _ := strings.Cut(command, " < ")
		switch {
		case strings.HasPrefix(command, "onetoken login "):
			input = "password"
		case input == "":
			input = "good.token" // not read
		}
		script += "stdin " + input + "\nexec " + strings.ReplaceAll(command, `"`, "'") + "\n! stderr .\n"
		if output != "" {
			script += "cp stdout " + output + "\n"
		}
	}
	require.GreaterOrEqual(t, ran, 7)
	files := tokenFiles(t, onezone)
	name := filepath.Join(t.TempDir(), "guide.txtar")
	require.NoError(t, os.WriteFile(name, []byte(script), 0o600))
	testscript.Run(t, testscript.Params{
		Files: []string{name},
		Setup: func(env *testscript.Env) error { return setUp(env, onezone.Origin, files) },
	})
}

// tokenFiles returns the files of the scripts: passwords, and tokens, good ones
// and hostile ones.
func tokenFiles(t *testing.T, onezone *macaroontest.Remote) map[string]string {
	t.Helper()
	good := onezone.TokenNamed("good").String()
	hostile, err := onezone.TokenNamed("hostile").ConfineUnchecked("x" + controls)
	require.NoError(t, err)
	return map[string]string{
		"password":       macaroontest.Password + "\n",
		"wrong-password": "not " + macaroontest.Password + "\n",
		"good.token":     good + "\n",
		"identity.token": onezone.TokenOf(onezone.Alice, macaroon.IdentityToken()).String(),
		"ip.token":       onezone.TokenNamed("ip", caveat.MustParse("ip = 10.0.0.0/8")).String(),
		"api.token":      onezone.TokenNamed("api", caveat.MustParse("api = ozw/get/space.*.*:*")).String(),
		"readonly.token": onezone.TokenNamed("readonly", caveat.DataReadonly{}).String(),
		"bob.token":      onezone.TokenOf(onezone.Bob, macaroon.AccessToken()).String(),
		"revoked.token":  onezone.Revoked().String(),
		"forged.token":   onezone.Forged().String(),
		"escapes.token":  hostile.String(),
		"cut.token":      good[:len(good)-9],
		"huge.token":     strings.Repeat("A", 2<<20),
		"binary.token":   "\x00\x01\xff\xfe\x1b]0;title\x07" + good[:40] + "\x9b31m",
		"wrapped.token":  "  -H 'X-Auth-Token: " + good + "'\n",
		"answer.json":    `{"token":"` + good + `"}`,
	}
}

// setUp writes the files of a script, and names the Onezone and the profile.
func setUp(env *testscript.Env, onezone string, files map[string]string) error {
	env.Setenv("ONEZONE", onezone)
	env.Setenv("ONETOKEN_PROFILE", filepath.Join(env.WorkDir, "profile.json"))
	env.Setenv("XDG_RUNTIME_DIR", env.WorkDir)
	env.Setenv("HOSTILE", controls)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// exits runs a command and compares its status: exits STATUS COMMAND...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want, _ := strconv.Atoi(args[0]); status != want {
		ts.Fatalf("%s exits with %d instead of %d: %s", strings.Join(args[1:], " "), status, want, ts.ReadFile("stderr"))
	}
	lines := 0
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		if !strings.HasPrefix(line, "onetoken: note: ") {
			lines++
		}
	}
	if status != 0 && lines != 1 {
		ts.Fatalf("one mistake takes one line, not %q", ts.ReadFile("stderr"))
	}
}

// mode compares the permissions of a file: mode 0600 FILE.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	about, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", about.Mode().Perm()); got != args[0] {
		ts.Fatalf("the mode of %s is %s", args[1], got)
	}
}

// field sets a variable to a field of the JSON output: field tokenId ID.
func field(ts *testscript.TestScript, _ bool, args []string) {
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &object))
	ts.Setenv(args[1], fmt.Sprint(object[args[0]]))
}

// plain fails if the output has characters that are not printable.
func plain(ts *testscript.TestScript, _ bool, _ []string) {
	for _, name := range []string{"stdout", "stderr"} {
		text := ts.ReadFile(name)
		if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }) || !utf8.ValidString(text) {
			ts.Fatalf("%s has characters that are not printable: %q", name, text)
		}
	}
}
