package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// logout deletes the token of the login at its Onezone, and then the profile.
func logout(f *flags) action {
	var connection connectionFlags
	connection.declareProfile(f)
	var offline bool
	f.toggle(&offline, "offline", "only delete the profile; the token stays valid until it expires")
	asJSON := f.json("the result")
	return func(ctx context.Context, p process, _ []string) error {
		path, err := p.profilePath(connection.profile)
		if err != nil {
			return err
		}
		ended, _, err := readProfileOfAnyMode(path)
		switch {
		case err != nil:
			return err
		case ended.Onezone == "":
			return misuse("there is no login in " + path)
		}
		result := tokenKept
		if !offline {
			if result, err = connection.end(ctx, ended); err != nil {
				return fmt.Errorf("%w; onetoken logout --offline only deletes the profile", err)
			}
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("deleting the profile: %w", err)
		}
		if *asJSON {
			return p.printJSON(map[string]string{"onezone": ended.Onezone, "tokenId": ended.Token.ID(), "result": result})
		}
		return p.say("logged out of %s; the token %s %s", ended.Onezone, ended.Token.ID(), map[string]string{
			tokenDeleted: "is deleted", tokenInvalid: "was no longer valid", tokenKept: "stays valid until it expires",
		}[result])
	}
}

// Results for the token of a login.
const (
	tokenDeleted = "deleted"
	tokenInvalid = "invalid" // it had expired, or was revoked or deleted
	tokenKept    = "kept"
)

// end deletes the token of a login, which authenticates the request itself.
func (c *connectionFlags) end(ctx context.Context, pr profile) (result string, err error) {
	if until, ok := pr.Token.Expiry(); ok && time.Now().Unix() >= until {
		return tokenInvalid, nil
	}
	client, err := c.client(pr.Onezone)
	if err != nil {
		return "", err
	}
	defer client.Close() //nolint:errcheck // nothing is in flight
	err = client.As(remote.ByToken(remote.StaticToken(pr.Token.Token))).Delete(ctx, pr.Token.ID())
	switch {
	case err == nil:
		return tokenDeleted, nil
	case errors.Is(err, errors.IDTokenInvalid), errors.Is(err, errors.IDTokenRevoked), errors.Expired(err):
		return tokenInvalid, nil
	}
	return "", err
}

// replace deletes the token of an earlier login, and returns its id if it did. It
// warns if it could not, because the new login has succeeded.
func (c *connectionFlags) replace(ctx context.Context, p process, earlier profile) (id string) {
	if earlier.Onezone == "" {
		return ""
	}
	id = earlier.Token.ID()
	switch result, err := c.end(ctx, earlier); {
	case err != nil:
		p.warn(fmt.Sprintf("the token %s of the login before was not deleted at %s: %v", id, earlier.Onezone, err))
		return ""
	case result != tokenDeleted:
		return ""
	}
	return id
}
