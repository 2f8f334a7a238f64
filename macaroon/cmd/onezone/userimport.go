package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
	"github.com/onezone-go/onezone/macaroon"
)

func (p *program) userImportCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "import FILE", Short: "Create many users from CSV or JSON lines, all or none",
		Long: `Creates all users of a file, or none. Every line is checked before anything is
written; if some are wrong, each of them is reported and the store does not
change. Hashing the passwords takes about a tenth of a second per user and CPU.

The file is CSV whose first line is "username,fullName,password", or has one JSON
object with these keys on each line. Only the user name must be there; a user
without a password cannot log in with one. FILE may be - for standard input. Only
the owner should be able to read the file. The output has the new ids.`,
		Example: `  onezone user import --store sqlite:data/onezone.db users.csv
  onezone user import --store sqlite:data/onezone.db --json - < users.jsonl`,
		Args: arguments("FILE"),
	}
	jsonFlag(c, &asJSON)
	return p.administers(c, newSettings(), task{creates: true, do: func(ctx context.Context, a administration, args []string) error {
		users, wrong, err := p.readUsers(args[0])
		if err != nil {
			return err
		}
		if err := checkImport(ctx, a, args[0], users, wrong); err != nil {
			return err
		}
		show, end := p.progress("hashing passwords")
		subjects, err := a.CreateUsers(ctx, newUsers(users), func(done int) { show(int64(done), int64(len(users))) })
		end()
		if err != nil {
			return err
		}
		results, rows := make([]userResult, len(users)), make([][]string, len(users))
		for i, u := range users {
			results[i] = userResult{ID: subjects[i].ID, Username: u.Username}
			rows[i] = []string{subjects[i].ID, u.Username}
		}
		if asJSON {
			return p.printJSON(results)
		}
		return p.printTable([]string{"ID", "NAME"}, rows)
	}})
}

// userLine is a line with a user.
type userLine struct {
	line int
	macaroon.NewUser
}

func newUsers(lines []userLine) []macaroon.NewUser {
	users := make([]macaroon.NewUser, len(lines))
	for i, each := range lines {
		users[i] = each.NewUser
	}
	return users
}

// refusedLine is a line without a user that can be created.
type refusedLine struct {
	line int
	err  error
}

// checkImport returns an error with all lines that cannot be imported, in their
// order: those that were refused when they were read, and those of users that
// cannot be created.
func checkImport(ctx context.Context, a administration, file string, users []userLine, refused []refusedLine) error {
	err := a.CheckUsers(ctx, newUsers(users))
	joined, ok := err.(interface{ Unwrap() []error })
	if err != nil && !ok {
		return err
	}
	if ok {
		for _, each := range joined.Unwrap() {
			if u, ok := onezoneerrors.AsType[*macaroon.UserError](each); ok {
				refused = append(refused, refusedLine{users[u.Index].line, fmt.Errorf("user %q: %w", users[u.Index].Username, u.Err)})
			}
		}
	}
	if len(refused) == 0 {
		return nil
	}
	slices.SortFunc(refused, func(x, y refusedLine) int { return cmp.Compare(x.line, y.line) })
	var errs []error
	for _, each := range refused {
		errs = append(errs, fmt.Errorf("%s, line %d: %w", file, each.line, each.err))
	}
	return errors.Join(append(errs, fmt.Errorf(
		"no user was imported: correct the lines above (%d) and import the file again", len(refused)))...)
}

// readUsers returns the users of a file, and the lines that hold none. The
// errors name lines, and never quote them.
func (p *program) readUsers(file string) (users []userLine, refused []refusedLine, err error) {
	in := p.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		in = f
	}
	text := bufio.NewReader(in)
	if start, _ := text.Peek(3); string(start) == "\ufeff" {
		_, _ = text.Discard(3) // spreadsheets write a byte order mark
	}
	read := readCSV
	if start, _ := text.Peek(512); bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")) {
		read = readJSONLines
	}
	err = read(text, func(line int, u macaroon.NewUser, err error) {
		if err == nil && u.Username == "" {
			err = errors.New("the user name is missing")
		}
		if err != nil {
			refused = append(refused, refusedLine{line, err})
			return
		}
		users = append(users, userLine{line, u})
	})
	if err == nil && len(users)+len(refused) == 0 {
		err = errors.New("there are no users")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return users, refused, nil
}

// userColumns are the columns of CSV and the keys of JSON.
var userColumns = []string{"username", "fullName", "password"}

// readCSV calls add for each line after the header.
func readCSV(in io.Reader, add func(line int, u macaroon.NewUser, err error)) error {
	r := csv.NewReader(in)
	header, err := r.Read()
	if err != nil && err != io.EOF {
		return errors.New("the first line is not CSV")
	}
	for i, column := range header {
		if !slices.Contains(userColumns, column) || slices.Contains(header[:i], column) {
			return fmt.Errorf("the first line must be the header username,fullName,password; %q is unknown or repeated", column)
		}
	}
	if !slices.Contains(header, "username") {
		return errors.New("the first line must be the header username,fullName,password")
	}
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return nil
		}
		var wrong *csv.ParseError
		switch {
		case errors.As(err, &wrong) && errors.Is(err, csv.ErrFieldCount):
			add(wrong.StartLine, macaroon.NewUser{}, fmt.Errorf("%d fields instead of %d", len(fields), len(header)))
		case errors.As(err, &wrong):
			return fmt.Errorf("line %d is not CSV: %w", wrong.Line, wrong.Err)
		case err != nil:
			return err
		default:
			line, _ := r.FieldPos(0)
			var u macaroon.NewUser
			for i, column := range header {
				*userField(&u, column) = fields[i]
			}
			add(line, u, nil)
		}
	}
}

func userField(u *macaroon.NewUser, column string) *string {
	switch column {
	case "username":
		return &u.Username
	case "fullName":
		return &u.FullName
	}
	return &u.Password
}

// maxUserLine is the longest line of JSON, in bytes.
const maxUserLine = 1 << 16

// readJSONLines calls add for each line.
func readJSONLines(in io.Reader, add func(line int, u macaroon.NewUser, err error)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxUserLine)
	number := 1
	for ; lines.Scan(); number++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		u, err := parseUser(text)
		add(number, u, err)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d bytes", number, maxUserLine)
	}
	return lines.Err()
}

// parseUser reads a JSON object. The error does not quote it.
func parseUser(text []byte) (u macaroon.NewUser, err error) {
	fields, err := strictjson.Parse(text)
	wrong := fmt.Errorf("this is not a JSON object of texts with the keys %s, each once and in UTF-8", strings.Join(userColumns, ", "))
	if err != nil || fields == nil {
		return u, wrong
	}
	for key, raw := range fields {
		if !slices.Contains(userColumns, key) {
			return u, fmt.Errorf("unknown key %q%s", key, didYouMean(key, userColumns))
		}
		value, ok := strictjson.Text(raw)
		if !ok && string(raw) != "null" {
			return u, wrong
		}
		*userField(&u, key) = value
	}
	return u, nil
}
