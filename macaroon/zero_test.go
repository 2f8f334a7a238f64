package macaroon_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

func TestTheZeroTokenIsNoToken(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	ctx := t.Context()
	var zero macaroon.Token
	for name, c := range map[string]struct {
		id   errors.ID
		call func() error
	}{
		"Verify":              {errors.IDTokenInvalid, func() error { _, err := zero.Verify(ctx, secret, everything()); return err }},
		"Confine":             {errors.IDBadToken, func() error { _, err := zero.Confine(caveat.REST); return err }},
		"Confine by nothing":  {errors.IDBadToken, func() error { _, err := zero.Confine(); return err }},
		"ConfineText":         {errors.IDBadToken, func() error { _, err := zero.ConfineText("time < 5"); return err }},
		"ConfineUnchecked":    {errors.IDBadToken, func() error { _, err := zero.ConfineUnchecked("moon = full"); return err }},
		"IndicatedBy":         {errors.IDBadToken, func() error { _, err := zero.IndicatedBy(caveat.OpWorker); return err }},
		"Macaroon":            {errors.IDBadToken, func() error { _, err := zero.Macaroon(); return err }},
		"FromMacaroon of nil": {errors.IDBadToken, func() error { _, err := macaroon.FromMacaroon(nil); return err }},
		"VerifyAccess": {errors.IDBadToken, func() error {
			_, err := z.VerifyAccess(ctx, zero.String(), caveat.Request{})
			return err
		}},
		"VerifyIdentity": {errors.IDBadToken, func() error {
			_, err := z.VerifyIdentity(ctx, zero.String(), caveat.Request{})
			return err
		}},
		"VerifyInvite": {errors.IDBadToken, func() error {
			_, err := z.VerifyInvite(ctx, zero.String(), 0, caveat.Request{})
			return err
		}},
		"VerifyService": {errors.IDBadServiceToken, func() error {
			_, err := z.VerifyService(ctx, zero.String(), caveat.Request{})
			return err
		}},
		"VerifyConsumer": {errors.IDBadConsumerToken, func() error {
			_, err := z.VerifyConsumer(ctx, zero.String(), caveat.Request{})
			return err
		}},
		"Authority.Confine": {errors.IDBadToken, func() error { _, err := z.Confine(ctx, zero, caveat.REST); return err }},
		"RevokeConfined":    {errors.IDTokenInvalid, func() error { return z.RevokeConfined(ctx, zero) }},
		"Consume":           {errors.IDBadToken, func() error { return z.Consume(ctx, zero.String(), 0, caveat.Request{}, accept) }},
	} {
		err := c.call()
		requireID(t, c.id, err)
		_ = toJSON(t, err) // a description of nothing can be written
		assert.NotEmpty(t, err.Error(), name)
	}

	assert.True(t, zero.IsZero())
	assert.Empty(t, zero.String())
	assert.Empty(t, zero.Caveats())
	assert.Empty(t, zero.Signature())
	assert.Empty(t, zero.ID())
	assert.Empty(t, zero.Domain())
	assert.Zero(t, zero.Version())
	assert.Zero(t, zero.Generation())
	assert.Zero(t, zero.Subject())
	assert.Zero(t, zero.Type())
	assert.Zero(t, zero.Indicated())
	_, expires := zero.Expiry()
	assert.False(t, expires)
	assert.Equal(t, "no token\n", zero.Inspect())
	assert.Equal(t, "[no token]", fmt.Sprint(zero))
	assert.Equal(t, "null", toJSON(t, zero))
	assert.Equal(t, `""`, toJSON(t, macaroon.Credential{}))
	assert.Contains(t, zero.LogValue().String(), "unknown")
}

func TestZeroArguments(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	token := z.access(t)
	_, err := z.VerifyAccess(ctx, token.String(), caveat.Request{})
	require.NoError(t, err, "a token without caveats asks nothing of a request")
	same, err := token.Confine()
	require.NoError(t, err)
	assert.Equal(t, token.String(), same.String())
	same, err = token.ConfineText()
	require.NoError(t, err)
	assert.Equal(t, token.String(), same.String())

	for name, c := range map[string]struct {
		id   errors.ID
		call func() error
	}{
		"nil caveat":              {errors.IDBadValueCaveat, func() error { _, err := token.Confine(nil); return err }},
		"nil caveat, authority":   {errors.IDBadValueCaveat, func() error { _, err := z.Confine(ctx, token, nil); return err }},
		"pointer to a caveat":     {errors.IDBadValueCaveat, func() error { _, err := token.Confine(&caveat.Time{}); return err }},
		"zero Spec":               {errors.IDBadValueDomain, func() error { _, err := macaroon.Mint(macaroon.Spec{}, secret); return err }},
		"zero Secret":             {errors.IDBadValueEmpty, func() error { _, err := macaroon.Mint(macaroon.Spec{}, store.Secret{}); return err }},
		"zero Secret, verify":     {errors.IDTokenInvalid, func() error { _, err := token.Verify(ctx, store.Secret{}, everything()); return err }},
		"zero Grant":              {errors.IDBadValueTokenType, func() error { _, err := z.Issue(ctx, macaroon.Grant{}); return err }},
		"zero Grant, named":       {errors.IDBadValueTokenType, func() error { _, err := z.IssueNamed(ctx, "name", macaroon.Grant{}); return err }},
		"no name":                 {errors.IDBadValueName, func() error { _, err := z.IssueNamed(ctx, "", macaroon.Grant{}); return err }},
		"zero Subject":            {errors.IDTokenSubjectInvalid, func() error { _, err := z.IssueLegacy(ctx, caveat.Subject{}, nil); return err }},
		"no id, Get":              {errors.IDNotFound, func() error { _, err := z.Get(ctx, ""); return err }},
		"no id, Revoke":           {errors.IDNotFound, func() error { return z.Revoke(ctx, "") }},
		"no id, Delete":           {errors.IDNotFound, func() error { return z.Delete(ctx, "") }},
		"zero Change":             {errors.IDMissingAtLeastOneValue, func() error { return z.Update(ctx, token.ID(), macaroon.Change{}) }},
		"nobody, GetByName":       {errors.IDNotFound, func() error { _, err := z.GetByName(ctx, caveat.Subject{}, "token 0"); return err }},
		"nobody, DeleteAll":       {errors.IDTokenSubjectInvalid, func() error { return z.DeleteAll(ctx, caveat.Subject{}) }},
		"nobody, Forget":          {errors.IDTokenSubjectInvalid, func() error { return z.Forget(ctx, caveat.Subject{}) }},
		"nobody, RevokeTemporary": {errors.IDTokenSubjectInvalid, func() error { return z.RevokeTemporary(ctx, caveat.Subject{}) }},
		"nobody, SetBlocked":      {errors.IDNotFound, func() error { return z.SetBlocked(ctx, caveat.Subject{}, true) }},
		"nobody, LogIn":           {errors.IDBadBasicCredentials, func() error { _, err := z.LogIn(ctx, "", ""); return err }},
		"empty type":              {errors.IDBadValueTokenType, func() error { _, err := macaroon.ParseType(""); return err }},
		"empty token":             {errors.IDBadToken, func() error { _, err := z.Parse(""); return err }},
	} {
		t.Run(name, func(t *testing.T) { requireID(t, c.id, c.call()) })
	}
	require.NoError(t, z.verify(token), "none of it changed anything")
	_, _, err = z.List(ctx, store.Query{})
	require.NoError(t, err)
}

// A verification does not panic for any zero values.
func TestZeroRequests(t *testing.T) {
	t.Parallel()
	for _, c := range holding {
		token := confineText(t, mint(t, macaroon.Spec{}), c.String())
		_, err := token.Verify(context.Background(), secret, caveat.Request{})
		if c.Type() == caveat.TypeAPI { // is left to Auth.Authorize
			require.NoError(t, err)
			continue
		}
		requireID(t, errors.IDTokenCaveatUnverified, err)
	}
}
