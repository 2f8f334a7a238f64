package macaroon

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
)

// Format prints what the token is, never its text, whatever the verb: a token
// that strays into a log line does no harm.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.label()) }

// LogValue returns a group with the id, type and subject of the token.
func (t Token) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", t.ID()),
		slog.String("type", t.Type().Class().String()),
		slog.String("subject", t.Subject().String()),
	)
}

func (t Token) label() string {
	if t.IsZero() {
		return "[no token]"
	}
	return fmt.Sprintf("[%s token %s]", t.Type().Class(), printable.Quote(t.ID()))
}

// String returns "access", "identity" or "invite", and "unknown" for zero.
func (c Class) String() string {
	switch c {
	case Access:
		return "access"
	case Identity:
		return "identity"
	case Invite:
		return "invite"
	}
	return "unknown"
}

// MarshalJSON returns what the token says, in the form of the REST operation
// examine: onezoneDomain, id, persistence, subject, type, caveats. It is a view
// without the signature, from which no token can be made; to send a token, send
// its String, or a [Credential].
func (t Token) MarshalJSON() ([]byte, error) { return t.Examine(nil) }

// UnmarshalJSON always fails: what MarshalJSON returns lacks the signature. Read
// a [Credential].
func (*Token) UnmarshalJSON([]byte) error {
	return errors.BadToken("a token is read from JSON as a Credential, or from its text by Parse")
}

// Examine returns the JSON of MarshalJSON with the caveats read in the given
// vocabulary. Caveats outside of it are shown as {"type":"unknown","text":TEXT}.
func (t Token) Examine(v *caveat.Vocabulary) ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(struct {
		Domain      string          `json:"onezoneDomain"`
		ID          string          `json:"id"`
		Persistence string          `json:"persistence"`
		Subject     caveat.Subject  `json:"subject"`
		Type        Type            `json:"type"`
		Caveats     []caveat.Caveat `json:"caveats"`
	}{t.Domain(), t.ID(), t.persistence(), t.Subject(), t.Type(), understood(t.Caveats(), v)})
}

func (t Token) persistence() string {
	if t.Generation() > 0 {
		return "temporary"
	}
	return "named"
}

// Inspect returns a description of the token for people, one fact a line: what
// it claims to be, its caveats and expiry. It never shows the signature, and
// says that nothing of it was verified.
func (t Token) Inspect() string {
	if t.IsZero() {
		return "no token\n"
	}
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", name, printable.Quote(fmt.Sprintf(format, args...)))
	}
	line("token", "%s (not verified)", t.ID())
	line("domain", "%s", t.Domain())
	line("type", "%s", t.Type().Describe())
	if t.Version() == 1 {
		line("subject", "known to the issuer only (version 1)")
	} else {
		line("subject", "%s", t.Subject())
	}
	if t.Generation() > 0 {
		line("kind", "temporary, generation %d", t.Generation())
	} else {
		line("kind", "named")
	}
	if until, ok := t.Expiry(); !ok {
		line("expires", "never")
	} else if at := time.Unix(until, 0).UTC(); at.Year() <= 9999 {
		line("expires", "%d (%s)", until, at.Format(time.RFC3339))
	} else {
		line("expires", "%d", until)
	}
	for _, c := range understood(t.Caveats(), nil) {
		name := "caveat"
		if c.Type() == caveat.TypeUnknown {
			name = "unknown"
		}
		line(name, "%s", c.String())
	}
	for _, third := range t.third {
		line("discharge", "needed from %s", third.Location)
	}
	return b.String()
}

// Credential is a token that marshals as its whole text, for messages whose
// purpose it is to hand a token over.
type Credential struct{ Token }

// MarshalJSON returns the text of the token as a JSON string.
func (c Credential) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// MarshalText returns the text of the token.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the text of a token like [Parse].
func (c *Credential) UnmarshalText(text []byte) (err error) {
	c.Token, err = Parse(string(text))
	return err
}

// UnmarshalJSON reads the text of a token from a JSON string. The error is that
// of [Parse], badToken where it is no string.
func (c *Credential) UnmarshalJSON(data []byte) error {
	text, _ := jsonText(data)
	return c.UnmarshalText([]byte(text))
}
