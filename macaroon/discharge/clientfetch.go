package discharge

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon/general"
)

// fetch fetches a discharge: at once, or after the discharger has told the client
// to wait for it.
func (c *Client) fetch(ctx context.Context, l *location, id caveatID) (fetched, error) {
	f, wait, err := c.ask(ctx, l, id, nil)
	if err == nil && wait != nil {
		var ticket url.Values
		if ticket, err = c.waitThere(ctx, l, *wait); err == nil {
			f, wait, err = c.ask(ctx, l, id, ticket)
		}
		if err == nil && wait != nil {
			err = errors.New("it wants to be asked again after it was ready")
		}
	}
	if err != nil {
		return fetched{}, fmt.Errorf("fetch a discharge from %s: %w", l.text, err)
	}
	return f, nil
}

// ask asks once for a discharge. wait is set if the client has to wait for it.
func (c *Client) ask(ctx context.Context, l *location, id caveatID, ticket url.Values) (f fetched, wait *methodURLs, err error) {
	values := url.Values{}
	setTextOr64(values, "id", id.identifier)
	if id.payload != "" {
		values.Set("caveat64", base64.RawURLEncoding.EncodeToString([]byte(id.payload)))
	}
	for name, value := range ticket {
		values[name] = value
	}
	reply, err := c.send(ctx, http.MethodPost, l.at("discharge"), strings.NewReader(values.Encode()), c.timeout)
	if err != nil {
		return fetched{}, nil, err
	}
	if reply.status != http.StatusOK {
		wait, err = reply.waitOrRefusal()
		return fetched{}, wait, err
	}
	f, err = readDischarge(reply.body)
	if err == nil && f.discharge.Identifier() != id.identifier {
		err = errors.New("its answer is the discharge of another caveat")
	}
	return f, nil, err
}

// setTextOr64 sets a field to a text, or in base64 if it is not printable.
func setTextOr64(values url.Values, name, text string) {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) {
		values.Set(name, text)
		return
	}
	values.Set(name+"64", base64.RawURLEncoding.EncodeToString([]byte(text)))
}

// waitThere waits until the discharger has decided, after it has shown its page
// to the user. It returns the fields for the next request.
func (c *Client) waitThere(ctx context.Context, l *location, m methodURLs) (url.Values, error) {
	there, ok := l.resolve(m.wait)
	if !ok || !l.isHere(there) {
		return nil, errors.New("it wants the client to wait at another host, or at no URL")
	}
	if m.user != "" {
		page, ok := l.resolve(m.user)
		switch {
		case !ok || !isProtected(page) && !(c.plainHTTP && l.isHere(page)):
			return nil, errors.New("the page for the user is not https")
		case c.interact == nil:
			return nil, errors.New("it has a page for the user, which this client cannot show: see WithInteraction")
		}
		if err := c.interact(ctx, page.String()); err != nil {
			return nil, operational.Error("show a page to the user", err)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxVisit, errors.New("it was not ready within 15 minutes"))
	defer cancel()
	for {
		reply, err := c.send(ctx, http.MethodGet, there.String(), nil, c.timeout+waitFor)
		switch {
		case err != nil:
			return nil, err
		case reply.status == http.StatusOK:
			return readTicket(reply.body)
		case reply.status != http.StatusAccepted:
			_, err := reply.waitOrRefusal()
			return nil, err
		}
		if duration.Sleep(ctx, reply.retryAfter()) != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// fetchKey fetches the public key of a discharger.
func (c *Client) fetchKey(ctx context.Context, l *location) (PublicKey, error) {
	reply, err := c.send(ctx, http.MethodGet, l.at("discharge/info"), nil, c.timeout)
	var key PublicKey
	if err == nil && reply.status != http.StatusOK {
		_, err = reply.waitOrRefusal()
	} else if err == nil {
		key, err = readKey(reply.body)
	}
	if err != nil {
		return PublicKey{}, fmt.Errorf("fetch the public key of %s: %w", l.text, err)
	}
	return key, nil
}

// reply is the answer of a discharger.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send sends one request and reads the whole answer. Its errors do not contain
// the URL, because that may contain a ticket.
func (c *Client) send(ctx context.Context, method, to string, body io.Reader, timeout time.Duration) (reply, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, method, to, body)
	if err != nil {
		return reply{}, withoutURL(err)
	}
	req.Header.Set("Accept", jsonType)
	req.Header.Set("Bakery-Protocol-Version", strconv.Itoa(version3))
	req.Header.Set("Prefer", "wait="+strconv.Itoa(int(waitFor/time.Second)))
	if body != nil {
		req.Header.Set("Content-Type", formType)
	}
	if c.prepare != nil {
		if err := c.prepare(req); err != nil {
			return reply{}, operational.Error("add credentials to a request", err)
		}
	}
	res, err := c.http.Do(req)
	var data []byte
	if err == nil {
		defer func() { _ = res.Body.Close() }()
		data, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return reply{}, context.Cause(ctx)
	case err != nil && limited.Err() != nil:
		// Not wrapped, because it is not the deadline of the caller.
		return reply{}, fmt.Errorf("it did not answer within %v", timeout)
	case err != nil:
		return reply{}, withoutURL(err)
	case len(data) > maxAnswer:
		return reply{}, fmt.Errorf("its answer is longer than %d bytes", maxAnswer)
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return reply{}, fmt.Errorf("it answered with a redirect (%d), which is not followed", res.StatusCode)
	}
	if t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); len(data) > 0 && (err != nil || t != jsonType) {
		return reply{}, fmt.Errorf("its answer (%d) is not JSON", res.StatusCode)
	}
	return reply{res.StatusCode, res.Header, data}, nil
}

// withoutURL returns the error without the URL of the request.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// retryAfter returns how long the discharger wants the client to pause, at least
// a second and at most half a minute.
func (r reply) retryAfter() time.Duration {
	seconds, err := strconv.Atoi(r.header.Get("Retry-After"))
	if err != nil {
		return time.Second
	}
	return time.Duration(min(max(seconds, 1), 30)) * time.Second
}

var discharges = general.Options{Formats: general.V1JSON | general.V2JSON}
