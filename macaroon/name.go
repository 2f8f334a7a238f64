package macaroon

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onezone-go/onezone/errors"
)

// Lengths of a name, in code points.
const (
	minName = 2
	maxName = 128
)

// ValidateName reports whether a token may have the name: 2 to 128 letters,
// numbers, underscores and round brackets, and between the first and the last of
// them also spaces, dots and dashes. One line feed at the end, which is not
// counted, is let pass as Onezone does. The error is badValueName.
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
