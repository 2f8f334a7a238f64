package main

import (
	"fmt"
	"strings"

	"github.com/onezone-go/onezone/store"
)

const (
	secretVariable = "ONETOKEN_SECRET"
	maxSecretSize  = 64 << 10 // bytes
)

// secretFlag is the file that holds the secret, nil if the flag is not given.
type secretFlag struct{ file *string }

func (s *secretFlag) declare(f *flags) {
	value(f, &s.file, "secret-file", "FILE", "the file that holds the secret; without the flag it is in $"+secretVariable,
		func(name string) (*string, error) { return &name, nil })
}

// read returns the secret. A bad file is an error even if the environment
// variable is set, because that may hold another secret.
func (s *secretFlag) read(getenv func(string) string) (store.Secret, error) {
	text := getenv(secretVariable)
	if s.file != nil {
		var err error
		if text, err = readFile(*s.file, maxSecretSize+lineEnding); err != nil {
			return store.Secret{}, fmt.Errorf("reading the secret file: %w", err)
		}
	}
	switch text = cutLineEnding(text); {
	case text == "":
		return store.Secret{}, misuse("no secret given: name its file with --secret-file, or set " + secretVariable)
	case len(text) > maxSecretSize:
		return store.Secret{}, misuse(fmt.Sprintf("the secret has more than %d bytes", maxSecretSize))
	case strings.ContainsAny(text, "\r\n"):
		return store.Secret{}, misuse("the secret has more than one line")
	}
	return store.NewSecret(text), nil
}
