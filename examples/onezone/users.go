package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// userOrder makes the program manage a user instead of serving.
type userOrder struct {
	do            string // the flag
	name          string // of the user
	fullName      string
	passwordStdin bool
	several       bool // more than one order was given
}

// orders are the flags that take a user name and make a run manage that user.
var orders = map[string]string{
	"create-user":  "create the user `NAME`, print the password, and exit",
	"set-password": "give the user `NAME` a new password, print it, and exit",
	"block":        "block the user `NAME`, so that tokens and password stop working, and exit",
	"unblock":      "unblock the user `NAME`, and exit",
}

func isOrder(name string) bool {
	return orders[name] != "" || slices.Contains([]string{"full-name", "password-stdin", "reseal", "seal-plaintext"}, name)
}

func (o *userOrder) flags(f *flag.FlagSet) {
	for do, usage := range orders {
		f.Func(do, usage, func(name string) error {
			o.several = o.do != "" && o.do != do
			o.do, o.name = do, name
			return nil
		})
	}
	f.StringVar(&o.fullName, "full-name", "", "with -create-user: the full `NAME` of the user")
	f.BoolVar(&o.passwordStdin, "password-stdin", false, "read the new password from the first line of standard input instead of generating one")
}

func (o userOrder) check(store string) error {
	switch {
	case o.several:
		return usageErrorf("a run does one thing: -create-user, -set-password, -block or -unblock")
	case o.do != "" && o.name == "":
		return usageErrorf("-%s needs the name of a user", o.do)
	case o.fullName != "" && o.do != "create-user":
		return usageErrorf("-full-name needs -create-user")
	case o.passwordStdin && o.do != "create-user" && o.do != "set-password":
		return usageErrorf("-password-stdin needs -create-user or -set-password")
	case o.do != "" && strings.HasPrefix(store, "memory:"):
		return usageErrorf("users in memory: end with the process; give a -store that lasts")
	}
	return nil
}

// manageUser performs the order in the settings and prints the result. The
// event is logged.
func manageUser(ctx context.Context, s settings, io stdio) (err error) {
	opened, err := openStore(ctx, s, nil, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	log := newLogger(io.err, s).With("operator", operator())
	authority, err := newAuthority(s, opened.front, func(ctx context.Context, e macaroon.Event) { logEvent(ctx, log, e) })
	if err != nil {
		return err
	}
	said, err := s.user.apply(asCommand(ctx), authority, opened.front, io.in)
	if err == nil {
		_, err = fmt.Fprintln(io.out, said)
	}
	return err
}

func (o userOrder) apply(ctx context.Context, a *macaroon.Authority, users store.Identities, in io.Reader) (said string, err error) {
	switch o.do {
	case "create-user":
		password, shown, err := o.newPassword(in)
		if err != nil {
			return "", err
		}
		_, err = a.CreateUser(ctx, macaroon.NewUser{Username: o.name, FullName: o.fullName, Password: password})
		if errors.Is(err, onezoneerrors.IDBadValueIdentifierOccupied) {
			err = fmt.Errorf("the user name %q is taken; to change the password, run with -set-password: %w", o.name, err)
		}
		return fmt.Sprintf("created user %s%s", o.name, shown), err
	case "set-password":
		user, err := find(ctx, users, o.name)
		if err != nil {
			return "", err
		}
		password, shown, err := o.newPassword(in)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("changed the password of user %s%s", o.name, shown), a.SetPassword(ctx, user, password)
	default:
		user, err := find(ctx, users, o.name)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%sed user %s", o.do, o.name), a.SetBlocked(ctx, user, o.do == "block")
	}
}

// newPassword returns the new password, and the text that shows a generated
// one.
func (o userOrder) newPassword(in io.Reader) (password, shown string, err error) {
	if !o.passwordStdin {
		password = rand.Text()
		return password, ", password " + password, nil
	}
	password, err = bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", "", fmt.Errorf("reading the password: %w", err)
	}
	password = strings.TrimRight(password, "\r\n")
	if password == "" {
		return "", "", errors.New("the first line of standard input must be the password, but is empty")
	}
	return password, "", nil
}

func find(ctx context.Context, users store.Identities, name string) (caveat.Subject, error) {
	i, err := users.GetIdentityByUsername(ctx, name)
	if errors.Is(err, onezoneerrors.IDNotFound) {
		return caveat.Subject{}, fmt.Errorf("there is no user %q: %w", name, err)
	}
	if err != nil {
		return caveat.Subject{}, fmt.Errorf("looking up user %q: %w", name, err)
	}
	return i.Subject, nil
}
