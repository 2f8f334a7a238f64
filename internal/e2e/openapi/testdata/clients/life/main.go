// Life drives one token through its life with a generated client:
//
//	life URL USER PASSWORD VALID_UNTIL
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"

	"clients/oapi"
)

func main() {
	if err := life(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "life:", err)
		os.Exit(1)
	}
	fmt.Println("a whole life")
}

func life(ctx context.Context, url, user, password, until string) error {
	validUntil, err := strconv.Atoi(until)
	if err != nil {
		return err
	}
	basic := func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth(user, password)
		return nil
	}
	c, err := oapi.NewClientWithResponses(url, oapi.WithRequestEditorFn(basic))
	if err != nil {
		return err
	}

	var time, iface oapi.Caveat
	if err := errors.Join(
		time.FromTimeCaveat(oapi.TimeCaveat{ValidUntil: validUntil}),
		iface.FromInterfaceCaveat(oapi.InterfaceCaveat{Interface: oapi.Rest}),
	); err != nil {
		return err
	}
	caveats := oapi.NewCaveats{time, iface}
	issued, err := c.CreateNamedTokenForCurrentUserWithResponse(ctx, nil, oapi.CreateNamedTokenRequest{Name: "laptop", Caveats: &caveats})
	if err != nil || issued.JSON201 == nil {
		return refused("create_named_token_for_current_user", err, issued)
	}
	id, token := issued.JSON201.TokenId, issued.JSON201.Token

	listed, err := c.ListNamedTokensOfCurrentUserWithResponse(ctx, nil)
	if err != nil || listed.JSON200 == nil || !slices.Contains(listed.JSON200.Tokens, id) {
		return refused("list_named_tokens_of_current_user", err, listed)
	}

	shown, err := c.GetNamedTokenWithResponse(ctx, id, nil)
	if err != nil || shown.JSON200 == nil || shown.JSON200.Token != token || shown.JSON200.Name != "laptop" ||
		len(shown.JSON200.Caveats) != 2 || *shown.JSON200.Caveats[0].ValidUntil != validUntil {
		return refused("get_named_token", err, shown)
	}

	name, metadata := "workstation", oapi.CustomMetadata{"room": "4.11"}
	modified, err := c.ModifyNamedTokenWithResponse(ctx, id, nil, oapi.UpdateNamedTokenRequest{Name: &name, CustomMetadata: &metadata})
	if err != nil || modified.StatusCode() != http.StatusNoContent {
		return refused("modify_named_token", err, modified)
	}
	found, err := c.GetNamedTokenOfCurrentUserByNameWithResponse(ctx, name, nil)
	if err != nil || found.JSON200 == nil || found.JSON200.Id != id || found.JSON200.Metadata.Custom["room"] != "4.11" {
		return refused("get_named_token_of_current_user_by_name", err, found)
	}

	verify := func() (*oapi.VerifyAccessTokenResponse, error) {
		rest := oapi.Rest
		return c.VerifyAccessTokenWithResponse(ctx, nil, oapi.VerifyAccessTokenRequest{Token: token, Interface: &rest})
	}
	verified, err := verify()
	if err != nil || verified.JSON200 == nil || verified.JSON200.Subject.Id != "u-alice" || *verified.JSON200.Ttl <= 0 {
		return refused("verify_access_token", err, verified)
	}

	revoked := true
	modified, err = c.ModifyNamedTokenWithResponse(ctx, id, nil, oapi.UpdateNamedTokenRequest{Revoked: &revoked})
	if err != nil || modified.StatusCode() != http.StatusNoContent {
		return refused("modify_named_token", err, modified)
	}
	verified, err = verify()
	if err != nil || verified.JSON400 == nil {
		return refused("verify_access_token of a revoked token", err, verified)
	}
	if id, err := verified.JSON400.Error.Discriminator(); err != nil || id != "tokenRevoked" {
		return refused("verify_access_token of a revoked token", err, verified)
	}

	deleted, err := c.DeleteNamedTokenWithResponse(ctx, id, nil)
	if err != nil || deleted.StatusCode() != http.StatusNoContent {
		return refused("delete_named_token", err, deleted)
	}
	listed, err = c.ListNamedTokensOfCurrentUserWithResponse(ctx, nil)
	if err != nil || listed.JSON200 == nil || len(listed.JSON200.Tokens) != 0 {
		return refused("list_named_tokens_of_current_user", err, listed)
	}
	return nil
}

func refused(operation string, err error, answer any) error {
	if err == nil {
		err = errors.New("not the answer that was expected")
	}
	return fmt.Errorf("%s: %w: %+v", operation, err, answer)
}
