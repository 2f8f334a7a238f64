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
	"github.com/onezone-go/onezone/internal/strictjson"
)

// Format prints the kind and id of the token, never its text, for every verb. A
// token that is logged by mistake therefore reveals no secret.
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

// String returns "access", "identity" or "invite"; "unknown" for the zero Class.
func (c Class) String() string {
	if c > Invite {
		c = 0
	}
	return [...]string{"unknown", Access: "access", Identity: "identity", Invite: "invite"}[c]
}

// MarshalJSON returns the content of the token in the form of the REST
// operation examine: onezoneDomain, id, persistence, subject, type, caveats.
// The JSON lacks the signature, so it is not a credential. To send a token,
// send its String or a [Credential].
func (t Token) MarshalJSON() ([]byte, error) { return t.Examine(nil) }

// UnmarshalJSON always returns badToken, because the JSON of MarshalJSON lacks
// the signature. Decode a [Credential] instead.
func (*Token) UnmarshalJSON([]byte) error {
	return errors.BadToken("a token cannot be decoded from this JSON: decode a Credential, or call Parse with its text")
}

// Examine returns the JSON of MarshalJSON with caveats parsed in the given
// vocabulary. Caveats outside it are shown as {"type":"unknown","text":TEXT}.
func (t Token) Examine(v *caveat.Vocabulary) ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	persistence := "named"
	if t.Generation() > 0 {
		persistence = "temporary"
	}
	return json.Marshal(struct {
		Domain      string          `json:"onezoneDomain"`
		ID          string          `json:"id"`
		Persistence string          `json:"persistence"`
		Subject     caveat.Subject  `json:"subject"`
		Type        Type            `json:"type"`
		Caveats     []caveat.Caveat `json:"caveats"`
	}{t.Domain(), t.ID(), persistence, t.Subject(), t.Type(), v.ParseList(t.Caveats()).Caveats()})
}

// Inspect returns a readable description of the unverified token, one fact per
// line: its id, type and subject, expiry and caveats. It states that nothing
// was verified, and never shows the signature.
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
	var onezone *caveat.Vocabulary
	for _, c := range onezone.ParseList(t.Caveats()).Caveats() {
		name := "caveat"
		if c.Type() == caveat.TypeUnknown {
			name = "unknown"
		}
		line(name, "%s", c.String())
	}
	for _, third := range t.thirdParty {
		line("discharge", "needed from %s", third.Location)
	}
	return b.String()
}

// Credential is a token that marshals as its whole text, for messages that
// transfer a token.
type Credential struct{ Token }

// MarshalJSON returns the text of the token as a JSON string.
func (c Credential) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// MarshalText returns the text of the token.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText parses the text of a token. The errors are those of [Parse].
func (c *Credential) UnmarshalText(text []byte) (err error) {
	c.Token, err = Parse(string(text))
	return err
}

// UnmarshalJSON parses the text of a token from a JSON string. The errors are
// those of [Parse]; badToken for other JSON.
func (c *Credential) UnmarshalJSON(data []byte) error {
	text, _ := strictjson.Text(data)
	return c.UnmarshalText([]byte(text))
}
