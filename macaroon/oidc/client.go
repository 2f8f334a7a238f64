package oidc

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/onezone-go/onezone/errors"
)

// maxResponse is the maximum size of a response of the issuer, in bytes.
const maxResponse = 1 << 20

// newClient returns a client that follows no redirects, and limits the size of
// responses. Contexts limit their time.
func newClient(o Options) *http.Client {
	return &http.Client{
		Transport:     boundedTransport{o.Transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("redirects are not followed") },
	}
}

// boundedTransport limits the size of responses: package oidc reads them whole.
type boundedTransport struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = &boundedBody{ReadCloser: res.Body, left: maxResponse}
	}
	return res, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

// Read implements [io.Reader].
func (b *boundedBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	if b.left -= n; b.left < 0 {
		return 0, fmt.Errorf("the response has more than %d bytes", maxResponse)
	}
	return n, err
}

// get returns the status and body of a URL. token is sent if it is not "".
func get(ctx context.Context, client *http.Client, url, token string) (status int, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Accept", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// shortened returns err, or if its text is long, its start: package oidc quotes
// whole responses.
func shortened(err error) error {
	if text := err.Error(); len(text) > 300 {
		return fmt.Errorf("%.300s (shortened)", text)
	}
	return err
}
