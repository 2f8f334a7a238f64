package macaroon

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onezone-go/onezone/errors"
)

// Limits on the length of a name, in code points.
const (
	minName = 2
	maxName = 128
)

// ValidateName checks the name of a token. It must have 2 to 128 characters:
// letters, numbers, underscores and parentheses; spaces, dots and dashes are
// allowed except as the first or last character. As in the original Onezone,
// one trailing line feed is accepted and not counted. The error is
// badValueName.
func ValidateName(name string) error {
	runes := []rune(strings.TrimSuffix(name, "\n"))
	if !utf8.ValidString(name) || len(runes) < minName || len(runes) > maxName {
		return errors.BadValueName()
	}
	for i, r := range runes {
		inside := i > 0 && i < len(runes)-1 && (r == ' ' || r == '.' || r == '-')
		if !inside && !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_' && r != '(' && r != ')' {
			return errors.BadValueName()
		}
	}
	return nil
}
