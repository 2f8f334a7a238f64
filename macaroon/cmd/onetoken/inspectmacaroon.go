package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon/general"
)

// describeMacaroon prints the content of a macaroon of another issuer, or of a
// token in another format. It is not verified.
func (p process) describeMacaroon(m general.Macaroon, now time.Time, asJSON bool) error {
	var texts []string
	for _, c := range m.Caveats() {
		if !c.IsThirdParty() {
			texts = append(texts, c.Text)
		}
	}
	var onezone *caveat.Vocabulary
	until, expires := onezone.ParseList(texts).Expiry()
	expired := expires && now.Unix() >= until
	if asJSON {
		return p.printJSON(viewOf(m, expired))
	}
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "%-9s %s\n", name, text) }
	line("macaroon", printable.Quote(m.Identifier())+" (not verified)")
	line("location", printable.Quote(m.Location()))
	line("format", m.ReadAs().String())
	if expired {
		line(p.highlight("EXPIRED")+"  ", moment(until))
	} else if expires {
		line("expires", moment(until))
	}
	for _, c := range m.Caveats() {
		if c.IsThirdParty() {
			line("discharge", "needed from "+printable.Quote(c.Location)+" for "+printable.Quote(c.Text))
		} else {
			line("caveat", printable.Quote(c.Text))
		}
	}
	return write(p.out, b.String())
}

// macaroonView is a macaroon in JSON. Texts that are not UTF-8 are in base64.
type macaroonView struct {
	Identifier   string       `json:"identifier,omitempty"`
	Identifier64 string       `json:"identifier64,omitempty"`
	Location     string       `json:"location"`
	Format       string       `json:"format"`
	Caveats      []caveatView `json:"caveats"`
	Expired      bool         `json:"expired"`
}

type caveatView struct {
	Text       string `json:"text,omitempty"`
	Text64     string `json:"text64,omitempty"`
	ThirdParty bool   `json:"thirdParty,omitempty"`
	Location   string `json:"location,omitempty"` // where a third-party caveat is discharged
}

func viewOf(m general.Macaroon, expired bool) macaroonView {
	view := macaroonView{Location: m.Location(), Format: m.ReadAs().String(), Expired: expired, Caveats: []caveatView{}}
	view.Identifier, view.Identifier64 = textOr64(m.Identifier())
	for _, c := range m.Caveats() {
		each := caveatView{ThirdParty: c.IsThirdParty(), Location: c.Location}
		each.Text, each.Text64 = textOr64(c.Text)
		view.Caveats = append(view.Caveats, each)
	}
	return view
}

// textOr64 returns a text, or else its bytes in base64.
func textOr64(bytes string) (text, in64 string) {
	if utf8.ValidString(bytes) {
		return bytes, ""
	}
	return "", base64.RawURLEncoding.EncodeToString([]byte(bytes))
}
