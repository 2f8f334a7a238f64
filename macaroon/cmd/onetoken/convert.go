package main

import (
	"context"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/general"
)

// convert prints a macaroon in another format.
func convert(f *flags) action {
	var to general.Format
	value(f, &to, "to", "FORMAT", "the format to print: onezone, v1, v2, v1-json or v2-json", general.ParseFormat)
	f.complete("to", "onezone", "v1", "v2", "v1-json", "v2-json")
	asJSON := f.json("the macaroon and its formats")
	return func(_ context.Context, p process, args []string) error {
		if to == 0 {
			return misuse("give the format: --to onezone, v1, v2, v1-json or v2-json")
		}
		text, err := p.readText(args)
		if err != nil {
			return err
		}
		m, err := parseMacaroon(text)
		if err != nil {
			return err
		}
		text, err = m.Encode(to)
		switch {
		case errors.Is(err, errors.IDBadData):
			return misuse("--to " + to.String() + ": " + errors.From(err).Description)
		case err != nil:
			return err
		case !*asJSON:
			return write(p.out, text+"\n")
		}
		return p.printJSON(struct {
			From     string `json:"from"`
			To       string `json:"to"`
			Macaroon string `json:"macaroon"`
		}{m.ReadAs().String(), to.String(), text})
	}
}
