// Embedded shows a program that is the authority for its own users. A caveat of
// its own limits a token to one project.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/memory"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// projectKey is the context key of the project that a request is about.
type projectKey struct{}

// inProject returns a context for a request about the project.
func inProject(ctx context.Context, project string) context.Context {
	return context.WithValue(ctx, projectKey{}, project)
}

// project is the caveat "project = NAME".
var project = caveat.Kind{
	Name: "project",
	Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
		return ctx.Value(projectKey{}) == value, nil
	},
}

func run(ctx context.Context, out io.Writer) error {
	vocabulary, err := caveat.NewVocabulary(project)
	if err != nil {
		return err
	}
	authority, err := macaroon.NewAuthority(memory.New(), macaroon.WithVocabulary(vocabulary))
	if err != nil {
		return err
	}

	// A user of the program logs in with a password ...
	_, err = authority.CreateUser(ctx, macaroon.NewUser{ID: "carol", Username: "carol", Password: "a long passphrase"})
	if err != nil {
		return err
	}
	carol, err := authority.LogIn(ctx, "carol", "a long passphrase")
	if err != nil {
		return err
	}

	// ... and gets a token for her build server that is limited to one project.
	// To limit an existing token, use token.ConfineIn(vocabulary, only42).
	only42, err := vocabulary.New("project", "42")
	if err != nil {
		return err
	}
	token, err := authority.IssueNamed(ctx, "build server", macaroon.Grant{
		Subject: carol,
		Type:    macaroon.AccessToken(),
		Caveats: []caveat.Caveat{only42},
	})
	if err != nil {
		return err
	}

	// The context must hold the project before the token is verified.
	for _, name := range []string{"42", "43"} {
		auth, err := authority.VerifyAccess(inProject(ctx, name), token.String(), caveat.Request{})
		switch {
		case errors.Is(err, errors.IDTokenCaveatUnverified):
			_, err = fmt.Fprintf(out, "project %s: refused\n", name)
		case err == nil:
			_, err = fmt.Fprintf(out, "project %s: %v may build\n", name, auth.Subject)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
