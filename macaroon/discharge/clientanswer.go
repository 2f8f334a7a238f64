package discharge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/internal/strictjson"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// methodURLs says where to wait for a discharge.
type methodURLs struct {
	user string // a page for the user; "": none
	wait string
}

// errAnswer reports an answer that is not one of the protocol.
var errAnswer = errors.New("its answer is not one of the protocol")

// readDischarge reads the answer to a request for a discharge. The macaroon has
// one of two forms: JSON of version 1 or 2, or that of macaroon-bakery, which has
// the encrypted conditions of the discharge's own caveats beside it.
func readDischarge(body []byte) (fetched, error) {
	members, err := strictjson.Parse(body)
	if err != nil || members["Macaroon"] == nil {
		return fetched{}, errAnswer
	}
	raw, payloads := members["Macaroon"], map[string]string(nil)
	if outer, err := strictjson.Parse(raw); err == nil && outer["m"] != nil {
		if payloads, err = readPayloads(outer["cdata"]); err != nil {
			return fetched{}, err
		}
		raw = outer["m"]
	}
	m, err := discharges.Parse(string(raw))
	if err != nil {
		// As text: the badToken is about the discharge, not a token of the caller.
		return fetched{}, fmt.Errorf("its answer is not a discharge: %v", err)
	}
	return fetched{discharge: m, payloads: payloads}, nil
}

// readPayloads reads an object with base64 as keys and values.
func readPayloads(raw json.RawMessage) (map[string]string, error) {
	if raw == nil {
		return nil, nil
	}
	members, err := strictjson.Parse(raw)
	if err != nil || members == nil {
		return nil, errAnswer
	}
	payloads := make(map[string]string, len(members))
	for key, value := range members {
		identifier, ok := wire.DecodePlain(key)
		text, isText := strictjson.Text(value)
		payload, isBase64 := wire.DecodePlain(text)
		if !ok || !isText || !isBase64 || len(payload) > maxIdentifier {
			return nil, errAnswer
		}
		payloads[identifier] = payload
	}
	return payloads, nil
}

// readTicket reads the answer at the end of waiting, and returns its fields for
// the next request.
func readTicket(body []byte) (url.Values, error) {
	members, err := strictjson.Parse(body)
	if err != nil {
		return nil, errAnswer
	}
	values := url.Values{}
	for name, field := range map[string]string{"kind": "token-kind", "token": "token", "token64": "token64"} {
		if members[name] == nil {
			continue
		}
		text, ok := strictjson.Text(members[name])
		if !ok || len(text) > maxIdentifier {
			return nil, errAnswer
		}
		values.Set(field, text)
	}
	if values.Get("token-kind") == "" || (values.Get("token") == "") == (values.Get("token64") == "") {
		return nil, errAnswer
	}
	return values, nil
}

// readKey reads the answer with a public key.
func readKey(body []byte) (PublicKey, error) {
	members, err := strictjson.Parse(body)
	text, ok := strictjson.Text(members["PublicKey"])
	if err != nil || !ok {
		return PublicKey{}, errAnswer
	}
	key, err := ParsePublicKey(text)
	if err != nil {
		return PublicKey{}, fmt.Errorf("its answer has no public key: %v", err)
	}
	return key, nil
}

// waitOrRefusal reads an answer that is not a success: where to wait, or an error.
func (r reply) waitOrRefusal() (*methodURLs, error) {
	members, err := strictjson.Parse(r.body)
	if err != nil || members == nil {
		return nil, fmt.Errorf("its answer has the status %d, and no error that can be read", r.status)
	}
	code, _ := strictjson.Text(members["Code"])
	if code == codeInteraction {
		return readMethods(members["Info"])
	}
	message, _ := strictjson.Text(members["Message"])
	message = shortened(message)
	if r.status >= http.StatusInternalServerError || r.status == http.StatusTooManyRequests {
		return nil, fmt.Errorf("it failed (%d): %s", r.status, message)
	}
	refused := errors.Envelope{}
	if len(members["error"]) > 0 {
		err = json.Unmarshal(r.body, &refused)
	}
	switch {
	case err == nil && refused.Error != nil && refused.Error.HTTPStatus() < http.StatusInternalServerError:
		return nil, refused.Error
	case code == codeBadRequest:
		return nil, errors.BadDataHint("identifier", message)
	}
	return nil, errors.Forbidden(message)
}

// shortened returns the message of a discharger for an error.
func shortened(message string) string {
	if message == "" {
		return "it gave no reason"
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "..."
	}
	return printable.Quote(message)
}

// readMethods reads which page to show to the user, and where to wait.
func readMethods(raw json.RawMessage) (*methodURLs, error) {
	info, err := strictjson.Parse(raw)
	if err != nil {
		return nil, errAnswer
	}
	methods, err := strictjson.Parse(info["InteractionMethods"])
	if err != nil {
		return nil, errAnswer
	}
	for _, name := range []string{methodPoll, methodBrowser} {
		if methods[name] == nil {
			continue
		}
		method, err := strictjson.Parse(methods[name])
		if err != nil {
			return nil, errAnswer
		}
		user, _ := strictjson.Text(method["VisitURL"])
		wait, ok := strictjson.Text(method["WaitTokenURL"])
		if !ok || (user == "") == (name == methodBrowser) {
			return nil, errAnswer
		}
		return &methodURLs{user, wait}, nil
	}
	return nil, errors.New("it offers no way to wait for the discharge that this client knows")
}
