package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// listUsers returns the users of the store in the file.
func listUsers(t *testing.T, file string) (list []userInfo) {
	t.Helper()
	out, err := order(t, file, "", "user", "list", "--json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	return list
}

// usersFile writes a file of users.
func usersFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "users")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestUsersAreImportedFromCSVAndJSONLines(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"CSV":                      "username,fullName,password\nalice,\"Liddell, Alice\",correct horse\r\nbob,,\n",
		"CSV from a spreadsheet":   "\ufeffusername,fullName,password\r\nalice,\"Liddell, Alice\",correct horse\r\nbob,,\r\n",
		"columns in another order": "password,username,fullName\ncorrect horse,alice,\"Liddell, Alice\"\n\n,bob,\n",
		"JSON lines":               "\r\n " + `{"username": "alice", "fullName": "Liddell, Alice", "password": "correct horse"}` + "\n\n" + `{"username": "bob", "password": null}`,
	} {
		file := filepath.Join(t.TempDir(), "onezone.db")
		out, err := order(t, file, text, "user", "import", "--json", "-")
		require.NoError(t, err, name)
		var made []userResult
		require.NoError(t, json.Unmarshal([]byte(out), &made))
		require.Len(t, made, 2, name)
		require.Equal(t, []string{"alice", "bob"}, []string{made[0].Username, made[1].Username})
		for i, u := range listUsers(t, file) {
			require.Equal(t, u.Username == "alice", u.HasPassword, name)
			if u.Username == "alice" {
				require.Equal(t, "Liddell, Alice", u.FullName)
				require.Equal(t, made[0].ID, u.ID, i)
			}
		}
		s, end := inProcess(t, "--store", "sqlite:"+file)
		require.Equal(t, 200, s.do("GET", "/user", "", "Authorization", basic("alice", "correct horse")).status, name)
		end()
	}
}

// Each line that cannot be imported is reported, in its order, and the store
// does not change.
func TestOneRefusedLineKeepsAllFromBeingImported(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "onezone.db")
	_, err := order(t, file, "", "user", "add", "--no-password", "carol")
	require.NoError(t, err)
	csv := usersFile(t, "username,fullName,password\nalice,Alice,long enough\ncarol,,\nx y,,\nbob,Bob,hunter2\nalice,,\n,,\ndave,,,\nerin,?,\n")
	out, err := order(t, file, "", "user", "import", csv)
	require.Empty(t, out)
	require.Equal(t, exitFailure, exitCode(err))
	var report1 strings.Builder
	report(&report1, err)
	require.Equal(t, []string{
		"line 3: user \"carol\": badValueIdentifierOccupied", "line 4: user \"x y\": badValueUsername", "line 5: user \"bob\": badValuePassword",
		"line 6: user \"alice\": badValueIdentifierOccupied", "line 7: the user name is missing", "line 8: 4 fields instead of 3",
		"line 9: user \"erin\": badValueFullName",
	}, linesWithout(report1.String(), csv))
	require.Contains(t, report1.String(), "onezone: no user was imported: correct the lines above (7) and import the file again\n")
	require.NotContains(t, report1.String(), "hunter2")
	require.Len(t, listUsers(t, file), 1)
}

// A line that is not CSV or JSON, or is too long, does not hide mistakes in the
// lines after it.
func TestEveryRefusedLineIsReported(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<16)
	for format, c := range map[string]struct{ header, good, broken, bad string }{
		"CSV":  {"username,fullName,password", "alice%d,Alice,", "\"bob,\"B\"ob\",hunter22", "carol,Carol"},
		"JSON": {`{"username": "first"}`, `{"username": "alice%d"}`, `{"username": "bob", "password": hunter22`, `{"username": 5}`},
	} {
		lines := []string{c.header}
		add := func(line string) { lines = append(lines, line) }
		add(fmt.Sprintf(c.good, 1))
		add(c.broken)                  // 3
		add(long + c.good)             // 4
		add(strings.Repeat(long, 3))   // 5
		add("")                        // an empty line counts
		add(c.bad)                     // 7
		add(fmt.Sprintf(c.good, 2))    // 8
		add(fmt.Sprintf(c.good, 1))    // 9, as line 2
		add("\"")                      // 10
		add(long + "the last is long") // 11
		for _, end := range []string{"", "\n", "\r\n"} {
			file := filepath.Join(t.TempDir(), "onezone.db")
			_, err := order(t, file, strings.Join(lines, "\n")+end, "user", "import", "-")
			var text strings.Builder
			report(&text, err)
			var numbers []string
			for line := range strings.Lines(text.String()) {
				if _, about, ok := strings.Cut(line, "onezone: -, line "); ok {
					number, _, _ := strings.Cut(about, ":")
					numbers = append(numbers, number)
				}
			}
			require.Equal(t, []string{"3", "4", "5", "7", "9", "10", "11"}, numbers, "%s: %s", format, text.String())
			require.Contains(t, text.String(), "no user was imported: correct the lines above (7)")
			require.NotContains(t, text.String(), "hunter22")
			require.Empty(t, listUsers(t, file))
		}
	}
}

func TestAFileThatCannotBeReadToItsEndIsNotImported(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "onezone.db")
	for _, text := range []string{"", "username\n", "username\nalice\n", "username\nalice\n" + strings.Repeat("x", 1<<17)} {
		in := io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("the disk is on fire")))
		err := run(t.Context(), []string{"user", "import", "--store", "sqlite:" + file, "-"}, stdio{in, io.Discard, io.Discard}, unset)
		require.EqualError(t, err, "-: the disk is on fire")
		require.Empty(t, listUsers(t, file))
	}
}

// Space is a part of a password, which passwd takes as it is, too.
func TestSpaceInCSVIsKept(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "onezone.db")
	_, err := order(t, file, "username,password\nalice, correct horse \r\n", "user", "import", "-")
	require.NoError(t, err)
	s, end := inProcess(t, "--store", "sqlite:"+file)
	defer end()
	require.Equal(t, 200, s.do("GET", "/user", "", "Authorization", basic("alice", " correct horse ")).status)
	require.Equal(t, 401, s.do("GET", "/user", "", "Authorization", basic("alice", "correct horse")).status)
}

// linesWithout returns the lines about the file without its name, and without
// the descriptions of errors.
func linesWithout(report, file string) (lines []string) {
	for line := range strings.Lines(report) {
		if about, ok := strings.CutPrefix(strings.TrimSpace(line), "onezone: "+file+", "); ok {
			parts := strings.SplitN(about, ": ", 4)
			lines = append(lines, strings.Join(parts[:min(3, len(parts))], ": "))
		}
	}
	return lines
}

func TestFilesThatHoldNoUsersAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "header username,fullName,password",
		"\n":                              "header username,fullName,password",
		"username,fullName,password\n":    "there are no users",
		"alice,Alice,hunter22\n":          `"alice" is unknown or repeated`,
		"username,username\n":             `"username" is unknown or repeated`,
		"fullName\nAlice\n":               "header username,fullName,password",
		"username\nalice\n\"bob\n":        "line 3: the line is not CSV: a field in quotes does not end",
		"user\"name\nalice\n":             `the first line must be the header username,fullName,password: the line is not CSV: bare "`,
		strings.Repeat("a", 1<<17):        "the first line must be the header",
		`{"username": "alice", "x": ""}`:  `line 1: unknown key "x"`,
		`{"username": 5}`:                 "line 1: this is not a JSON object of texts",
		"{\"username\": \"al\"}\nnothing": "line 2: this is not a JSON object of texts",
		`{"username": "alice", "pasword": "hunter22"}`:    `line 1: unknown key "pasword", did you mean password?`,
		`{"username": "` + strings.Repeat("a", 1<<16):     "line 1: the line is longer than 65536 bytes",
		`{"username": "alice", "password": "hunter22", }`: "line 1: this is not a JSON object",
	} {
		_, err := order(t, filepath.Join(t.TempDir(), "onezone.db"), "", "user", "import", usersFile(t, text))
		require.ErrorContains(t, err, want, "%.60q", text)
		require.NotContains(t, err.Error(), "hunter22")
	}
	_, err := order(t, filepath.Join(t.TempDir(), "onezone.db"), "", "user", "import", "/nowhere")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A JSON parser that replaces or drops such text would set another password
// than the one in the file.
func TestJSONThatParsersReadInTwoWaysIsNotImported(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not UTF-8":             "{\"username\": \"alice\", \"password\": \"hunter22\xff\"}",
		"an unpaired surrogate": `{"username": "alice", "password": "hunter22\ud800"}`,
		"a repeated key":        `{"username": "alice", "password": "hunter22", "password": "hunter23"}`,
	} {
		file := filepath.Join(t.TempDir(), "onezone.db")
		_, err := order(t, file, text, "user", "import", "-")
		require.ErrorContains(t, err, "line 1: this is not a JSON object of texts with the keys username, fullName, password, each once and in UTF-8", name)
		require.NotContains(t, err.Error(), "hunter")
		require.Empty(t, listUsers(t, file), name)
	}
}

func TestThousandsOfUsersAreImportedInOneGo(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("username,fullName\n")
	for i := range 5000 {
		fmt.Fprintf(&text, "user-%d,User %d\n", i, i)
	}
	file := filepath.Join(t.TempDir(), "onezone.db")
	_, err := order(t, file, text.String(), "user", "import", "-")
	require.NoError(t, err)
	require.Len(t, listUsers(t, file), 5000)
}
