package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

const (
	// demoUser is the user for a first try of the service.
	demoUser = "demo"
	// demoTTL is the lifetime of the token in the second line.
	demoTTL = time.Hour
)

// printDemo creates the demo user unless it exists, and prints curl commands
// to try. The password is shown once and never stored in clear; afterwards curl
// asks for it.
func (v *service) printDemo(ctx context.Context, out io.Writer, base string) error {
	user, password, err := v.demoUser(ctx)
	if err != nil {
		return err
	}
	token, err := v.authority.Issue(ctx, macaroon.Grant{
		Subject: user,
		Type:    macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Until(v.authority.Now().Add(demoTTL))},
	})
	if errors.Is(err, errors.IDUserBlocked) {
		_, err = fmt.Fprintf(out, "# The user %s is blocked; to make it work again, run: onezone user unblock %s\n", demoUser, demoUser)
		return err
	}
	if err != nil {
		return err
	}
	about, credentials := fmt.Sprintf("# The user %s has the password %s, which is not shown again.", demoUser, password), demoUser+":"+password
	if password == "" {
		about = fmt.Sprintf("# curl asks for the password of the user %s; for a new one, run: onezone user passwd %s", demoUser, demoUser)
		credentials = demoUser
	}
	curl := "curl"
	if v.settings.cert != "" {
		curl += " --cacert " + quoted(v.settings.cert)
	}
	tokens := base + rest.Prefix + "/user/client_tokens"
	_, err = fmt.Fprintf(out, `%s
# Create a token with the password, and list the user's tokens with a token that is valid for an hour:
%s -u %s -X POST -d '' -H 'content-type: application/json' %s
%s -H 'x-auth-token: %s' %s
`, about, curl, credentials, tokens, curl, token.String(), tokens)
	if err == nil && v.settings.page {
		_, err = fmt.Fprintf(out, "# Or see and create tokens in a browser: %s/\n", base)
	}
	return err
}

// demoUser returns the demo user, and its password if it has just been created.
func (v *service) demoUser(ctx context.Context) (user caveat.Subject, password string, err error) {
	user, err = find(ctx, v.store, demoUser)
	if !errors.Is(err, errors.IDNotFound) {
		return user, "", err
	}
	password = rand.Text() // letters and digits, which need no quoting in a shell
	user, err = v.authority.CreateUser(ctx, macaroon.NewUser{Username: demoUser, FullName: "Demo User", Password: password})
	if errors.Is(err, errors.IDBadValueIdentifierOccupied) { // another replica was faster
		user, err = find(ctx, v.store, demoUser)
		return user, "", err
	}
	return user, password, err
}

// hasNoUserBut reports whether the store has no users, or only the user with
// the name.
func hasNoUserBut(ctx context.Context, archive store.Archive, name string) (bool, error) {
	records, _, err := archive.Export(ctx, store.IdentityRecords, "", 2)
	if err != nil {
		return false, fmt.Errorf("looking for users: %w", err)
	}
	for _, r := range records {
		if r.Identity.Username != name {
			return false, nil
		}
	}
	return true, nil
}

// quoted returns the text as one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
