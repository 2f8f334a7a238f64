package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
)

// client is a client of the photo service.
type client struct {
	discharges *discharge.Client
}

// newClient returns a client that trusts one identity service, and shows its pages
// to the user.
func newClient(identityURL string, show func(ctx context.Context, page string) error) (*client, error) {
	discharges, err := discharge.NewClient([]string{identityURL}, discharge.WithInteraction(show))
	return &client{discharges}, err
}

// get fetches a page. If the service answers with a macaroon, it gets the
// discharges, and asks again.
func (c *client) get(ctx context.Context, page string) (string, error) {
	status, body, err := c.send(ctx, page, "")
	if err == nil && status == http.StatusUnauthorized {
		var authorization string
		if authorization, err = c.authorize(ctx, body); err == nil {
			status, body, err = c.send(ctx, page, authorization)
		}
	}
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the service answers %d", status)
	}
	return body, err
}

// authorize returns the header for a macaroon of the service.
func (c *client) authorize(ctx context.Context, text string) (string, error) {
	m, err := general.Parse(text, general.V2)
	if err != nil {
		return "", err
	}
	discharges, err := c.discharges.Discharge(ctx, m)
	if err != nil {
		return "", err
	}
	bundle, err := general.NewBundle(general.V2, append(discharges, m)...)
	if err != nil {
		return "", err
	}
	return bundle.Header(general.DefaultScheme)
}

func (c *client) send(ctx context.Context, page, authorization string) (status int, body string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return 0, "", err
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, string(data), err
}

// browser is a user in front of a browser.
type browser struct{ name, password string }

// show fills in the form of the page to log in. A program for people would print
// the URL.
func (b browser) show(ctx context.Context, page string) error {
	u, err := url.Parse(page)
	if err != nil {
		return err
	}
	form := url.Values{"visit": {u.Query().Get("visit")}, "user": {b.name}, "password": {b.password}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("log in: the page answers %d", answer.StatusCode)
	}
	return nil
}
