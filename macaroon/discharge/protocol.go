package discharge

import (
	"encoding/json"
	"net/http"

	"github.com/onezone-go/onezone/errors"
)

// The bodies of macaroon-bakery's httpbakery protocol.

// tokenKind is the kind of the tokens that this package's dischargers give to
// clients that wait.
const tokenKind = "onezone-visit"

// Names in errors.
const (
	codeInteraction = "interaction required"
	codeDenied      = "permission denied"
	codeBadRequest  = "bad request"
)

// Ways to wait for a discharge.
const (
	methodBrowser = "browser-window" // the user visits a page
	methodPoll    = "poll"           // nobody has to do anything; not in httpbakery
)

type infoBody struct {
	PublicKey string
	Version   int
}

type dischargeBody struct {
	Macaroon json.RawMessage
}

type waitBody struct {
	Kind    string `json:"kind"`
	Token   string `json:"token,omitempty"`
	Token64 string `json:"token64,omitempty"`
}

// errorBody is the body of an error: the members of httpbakery, and the error of
// the catalogue.
type errorBody struct {
	Code    string        `json:",omitempty"`
	Message string        `json:",omitempty"`
	Info    *errorInfo    `json:",omitempty"`
	Error   *errors.Error `json:"error,omitempty"`
}

type errorInfo struct {
	InteractionMethods map[string]methodInfo
}

type methodInfo struct {
	VisitURL     string `json:",omitempty"`
	WaitTokenURL string
}

// refusal returns the body for an error.
func refusal(e *errors.Error) errorBody {
	body := errorBody{Message: e.Error(), Error: e}
	switch e.HTTPStatus() {
	case http.StatusUnauthorized, http.StatusForbidden:
		body.Code = codeDenied
	case http.StatusBadRequest:
		body.Code = codeBadRequest
	}
	return body
}

// interaction returns the body that tells a client to wait, and which page the
// user has to visit, if any.
func interaction(userURL, waitURL string) errorBody {
	method := methodPoll
	if userURL != "" {
		method = methodBrowser
	}
	return errorBody{
		Code:    codeInteraction,
		Message: codeInteraction,
		Info:    &errorInfo{map[string]methodInfo{method: {userURL, waitURL}}},
	}
}
