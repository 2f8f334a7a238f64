package remote

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon"
)

// Source returns the token to send. Goroutines may call it concurrently, and
// each request calls it once, so it should return quickly. Its errors are
// operational, and must not contain the text of the token.
type Source func(ctx context.Context) (macaroon.Token, error)

// StaticToken returns a Source of one token.
func StaticToken(token macaroon.Token) Source {
	return func(context.Context) (macaroon.Token, error) { return token, nil }
}

// TokenEnv returns a Source that reads an environment variable each time. White
// space around the token is ignored.
func TokenEnv(name string) Source {
	var last parsedText
	return func(context.Context) (macaroon.Token, error) {
		text := strings.TrimSpace(os.Getenv(name))
		if text == "" {
			return macaroon.Token{}, fmt.Errorf("the environment variable %s must contain a token, and is empty", name)
		}
		return last.parse("the environment variable "+name, text)
	}
}

// parsedText is the last text that a source found, with its token.
type parsedText struct {
	mu    sync.Mutex
	text  string
	token macaroon.Token
}

// parse parses a text, unless it is that of the last call. where says where the
// text is from. The error does not contain the text.
func (p *parsedText) parse(where, text string) (macaroon.Token, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text != p.text {
		token, err := macaroon.Parse(text)
		if errors.Is(err, errors.IDBadToken) {
			return macaroon.Token{}, fmt.Errorf("%s does not contain a token of an Onezone: %v", where, err)
		}
		if err != nil {
			return macaroon.Token{}, operational.Error("parse the token in "+where, err)
		}
		p.text, p.token = text, token
	}
	return p.token, nil
}
