package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// idSize is the size of a random id in bytes, the same as that of an authority.
const idSize = 16

// mint prints a new token.
func mint(f *flags) action {
	spec := macaroon.Spec{Domain: caveat.OnezoneID, ID: randomID(), Type: macaroon.AccessToken()}
	value(f, &spec.Subject, "subject", "SUBJECT", "the subject of the token, usr-ID or prv-ID", caveat.ParseSubject)
	value(f, &spec.Type, "type", "TYPE",
		"act or access (the default), act:SESSION, idn or identity, or an invitation CODE:TARGET: such as ujg:GROUP:", parseType)
	value(f, &spec.ID, "id", "ID", "the id of the token; without the flag it is random", verbatim)
	value(f, &spec.Domain, "domain", "DOMAIN", "the domain of the Onezone, without the flag "+caveat.OnezoneID, verbatim)
	value(f, &spec.Generation, "generation", "N",
		"the generation of a temporary token's secret, from 1; 0 (the default) makes a named token", parseGeneration)
	var added caveatFlags
	added.declare(f)
	var key secretFlag
	key.declare(f)
	asJSON := f.json("the token and its caveats")
	return func(_ context.Context, p process, args []string) error {
		if spec.Subject.IsZero() {
			return misuse("give the subject of the token: --subject usr-ID")
		}
		texts, err := added.read(p, args)
		if err != nil {
			return err
		}
		secret, err := key.read(p.getenv)
		if err != nil {
			return err
		}
		token, err := macaroon.Mint(spec, secret)
		if err == nil {
			token, err = token.ConfineUnchecked(texts...)
		}
		if err != nil {
			return misuse(err.Error()) // all input came from the command line
		}
		p.warnAbout(token, 0)
		return p.printToken(token, *asJSON)
	}
}

func randomID() string {
	var b [idSize]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func parseGeneration(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err
}

// parseType reads the type of a token in words, as "onetoken list" shows it, or
// in the form of its identifier.
func parseType(text string) (macaroon.Type, error) {
	switch text {
	case macaroon.Access.String():
		return macaroon.AccessToken(), nil
	case macaroon.Identity.String():
		return macaroon.IdentityToken(), nil
	}
	return macaroon.ParseType(text)
}
