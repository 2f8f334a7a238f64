package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/onezone-go/onezone/macaroon/general"
)

// unwrap returns the text of a token without what people paste together with
// it, and what that was, in words. One line ending does not count.
func unwrap(input string) (text string, around []string) {
	text = cutLineEnding(input)
	for range maxWrappings {
		inner, what := unwrapOnce(text)
		if what == "" {
			break
		}
		text = inner
		if !slices.Contains(around, what) {
			around = append(around, what)
		}
	}
	if joined := strings.Join(strings.Fields(text), ""); joined != text {
		if _, err := general.Parse(joined, general.Onezone|general.V1|general.V2); err == nil {
			return joined, append(around, "line breaks and spaces inside it")
		}
	}
	return text, around
}

// maxWrappings is how many layers of wrapping are removed.
const maxWrappings = 16

// unwrapOnce removes the outermost wrapping, and returns what it was, "" if
// there was none.
func unwrapOnce(text string) (inner, what string) {
	if inner := strings.TrimFunc(text, isInvisible); inner != text {
		return inner, "white space"
	}
	if strings.HasPrefix(text, "{") {
		var answer struct {
			Token  string
			Tokens []string // of the legacy operations on client tokens
		}
		if json.Unmarshal([]byte(text), &answer) == nil {
			switch {
			case answer.Token != "":
				return answer.Token, "a JSON object"
			case len(answer.Tokens) == 1:
				return answer.Tokens[0], "a JSON object"
			}
		}
	}
	if inner, ok := strings.CutSuffix(text, ","); ok {
		return inner, "a comma"
	}
	for _, prefix := range prefixes {
		if end := prefix.matches.FindStringIndex(text); end != nil {
			return text[end[1]:], prefix.what
		}
	}
	for _, pair := range quotes {
		if inner, ok := strings.CutPrefix(text, pair.open); ok && len(inner) > 0 {
			if inner, ok := strings.CutSuffix(inner, pair.close); ok {
				return inner, "quotes"
			}
		}
	}
	return text, ""
}

// isInvisible reports whether the character is white space or a mark that
// editors and web pages leave around copied text, such as a byte order mark.
func isInvisible(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == 0 }

var quotes = []struct{ open, close string }{
	{`"`, `"`}, {`'`, `'`}, {"`", "`"}, {"\u201c", "\u201d"}, {"\u2018", "\u2019"}, {"\u00ab", "\u00bb"}, {"<", ">"},
}

// prefixes are what stands in front of tokens.
var prefixes = []struct {
	what    string
	matches *regexp.Regexp
}{
	{"the option -H", regexp.MustCompile(`^(?:-H|--header)[ =]?`)},
	{"the name of a header", regexp.MustCompile(`(?i)^(?:x-auth-token|authorization|macaroon|x-onedata-(?:service|consumer)-token) *:`)},
	{`"Bearer"`, regexp.MustCompile(`(?i)^bearer\s`)},
	{"the name of a field", regexp.MustCompile(`^"?token"?\s*[:=]`)},
	{"the name of a variable", regexp.MustCompile(`^(?:export )?[A-Z][A-Z_]{1,40}=`)},
}

// tokenLike matches the encoded length and name of the first packet of a token.
// It also matches the beginning of a macaroon in version 2, and the key of the
// signature in JSON.
var tokenLike = regexp.MustCompile(`MDA[0-9A-Za-z]{20}|\bAg[EI][0-9A-Za-z_/+-]{40}|"(?:signature|s|s64)"\s*:\s*"`)

// tokenReaders are the commands that read a token from standard input.
var tokenReaders = []string{"inspect", "doctor", "confine", "convert", "verify", "explain", "narrow"}

// refuseTokens returns an error if an argument contains a token. It does not
// repeat the argument.
func refuseTokens(args []string) error {
	for _, arg := range args {
		if !tokenLike.MatchString(arg) {
			continue
		}
		name := firstName(args)
		if !slices.Contains(tokenReaders, name) {
			name = "inspect"
		}
		return misuse("a token must not be an argument, because others on this machine can see it; write it to a file with " +
			"mode 0600 and run: onetoken " + name + " < FILE")
	}
	return nil
}
