package discharge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// challenge is the challenge of 401 responses, as in httpbakery.
const challenge = "Macaroon"

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// form is the fields of a request for a discharge.
type form struct {
	identifier string // of the discharge
	payload    string // the encrypted condition, if it is not the identifier
	visit      string
}

// sealed returns the encrypted condition.
func (f form) sealed() string {
	if f.payload != "" {
		return f.payload
	}
	return f.identifier
}

// errMediaType reports a body of another type, and errTooLarge a long one.
var (
	errMediaType = errors.New("the body is not a form")
	errTooLarge  = errors.New("the body is too large")
)

// readForm reads the form in the body and in the URL of a request. Clients of
// macaroon-bakery use the URL.
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return form{}, errTooLarge
	case err != nil:
		return form{}, errors.BadDataHint("body", "it could not be read to its end")
	case len(body) == 0:
		return formOf(r.URL.RawQuery)
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != formType {
		return form{}, errMediaType
	}
	return formOf(r.URL.RawQuery + "&" + string(body))
}

// formOf parses an encoded form. Unknown fields are ignored, as the protocol may
// gain some; known ones must not be repeated.
func formOf(text string) (f form, err error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return form{}, errors.BadDataHint("form", "it is not URL-encoded")
	}
	if f.identifier, err = textOr64(values, "id"); err != nil {
		return form{}, err
	}
	if f.visit, err = textOr64(values, "token"); err != nil {
		return form{}, err
	}
	if f.payload, err = fieldIn64(values, "caveat64"); err != nil {
		return form{}, err
	}
	kind, err := one(values, "token-kind")
	switch {
	case err != nil:
		return form{}, err
	case f.identifier == "":
		return form{}, errors.MissingRequiredValue("id64")
	case len(f.identifier) > maxIdentifier:
		return form{}, errors.BadDataHint("id64", "it is longer than 16384 bytes")
	case f.visit != "" && kind != tokenKind:
		return form{}, errors.BadValueNotAllowed("token-kind", tokenKind)
	}
	return f, nil
}

// textOr64 returns the field with the name, or that with 64 behind it, decoded.
func textOr64(values url.Values, name string) (string, error) {
	text, err := one(values, name)
	if err != nil {
		return "", err
	}
	raw, err := fieldIn64(values, name+"64")
	switch {
	case err != nil:
		return "", err
	case text != "" && raw != "":
		return "", errors.BadDataHint(name, "it is given twice, also as "+name+"64")
	}
	return text + raw, nil
}

// fieldIn64 returns a field that is base64, decoded.
func fieldIn64(values url.Values, name string) (string, error) {
	text, err := one(values, name)
	if err != nil || text == "" {
		return "", err
	}
	raw, ok := wire.DecodePlain(text)
	if !ok {
		return "", errors.BadDataHint(name, "it is not base64")
	}
	return raw, nil
}

// one returns the field with the name, "" if it is missing.
func one(values url.Values, name string) (string, error) {
	if len(values[name]) > 1 {
		return "", errors.BadDataHint(name, "it is given more than once")
	}
	return values.Get(name), nil
}

// waitURL returns where the client waits for the discharge, relative to the
// location.
func (a asked) waitURL() string {
	values := url.Values{
		"id64":       {base64.RawURLEncoding.EncodeToString([]byte(a.form.identifier))},
		"token":      {a.form.visit},
		"token-kind": {tokenKind},
	}
	if a.form.payload != "" {
		values.Set("caveat64", base64.RawURLEncoding.EncodeToString([]byte(a.form.payload)))
	}
	return "discharge/wait?" + values.Encode()
}

// preferredWait returns how long a client prefers to wait (RFC 7240, section 4.3).
func preferredWait(h http.Header) (time.Duration, bool) {
	for each := range strings.SplitSeq(h.Get("Prefer"), ",") {
		if digits, ok := strings.CutPrefix(strings.TrimSpace(each), "wait="); ok {
			n, err := strconv.ParseUint(digits, 10, 16)
			return time.Duration(n) * time.Second, err == nil
		}
	}
	return 0, false
}

// refuse answers with an error. Operational errors are logged and not shown.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if err == errMediaType {
		respond(w, http.StatusUnsupportedMediaType, refusal(errors.BadDataHint("Content-Type", "it must be "+formType)))
		return
	}
	if err == errTooLarge {
		respond(w, http.StatusRequestEntityTooLarge, refusal(errors.LimitReached(maxBody, "bytes of a body")))
		return
	}
	e, ok := errors.AsType[*errors.Error](err)
	if !ok {
		e = errors.ServiceUnavailable()
		if wait, ok := operational.RetryAfter(err); ok {
			w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		}
	}
	if e.HTTPStatus() >= http.StatusInternalServerError {
		h.logFault(r, err)
	}
	if e.HTTPStatus() == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	respond(w, e.HTTPStatus(), refusal(e))
}

func (h *Handler) logFault(r *http.Request, err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		level = slog.LevelDebug
	}
	h.log.Log(r.Context(), level, "no discharge", "path", r.URL.Path, "error", err)
}

func respond(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic("encoding an answer: " + err.Error()) // a bug: all bodies are plain
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
