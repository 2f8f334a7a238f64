package remote

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// Scope is the data to which an access token gives access.
type Scope struct {
	// ValidUntil is the expiry of the token in Unix seconds; nil if it does not
	// expire.
	ValidUntil *int64 `json:"validUntil"`
	// Data is the data access scope; nil for the token of a Oneprovider.
	Data *DataScope `json:"dataAccessScope"`
}

// DataScope is what the spaces of a user come to under the caveats of a token.
type DataScope struct {
	Readonly  bool                         `json:"readonly"`  // the token gives no write access
	Spaces    map[string]SpaceScope        `json:"spaces"`    // by id
	Providers map[string]rest.ProviderInfo `json:"providers"` // by id; those that may use the token
}

// SpaceScope is a space in a [DataScope].
type SpaceScope struct {
	Name     string                  `json:"name"`
	Supports map[string]SupportScope `json:"supports"` // by the id of the Oneprovider
}

// SupportScope is the support of a space by a Oneprovider.
type SupportScope struct {
	Readonly bool `json:"readonly"`
}

// Scope asks Onezone for the data to which an access token gives access. The
// consumer token is that of the party that will use the token; if it is empty,
// Onezone takes the subject of the token.
//
// Scope does not authenticate a client: Onezone ignores service and interface
// caveats, and compares ip, asn and geo caveats with the address of this
// service. Answers are not cached. The errors are those of
// [Client.VerifyAccess].
func (c *Client) Scope(ctx context.Context, text string, consumer caveat.PartyToken) (Scope, error) {
	q := &question{class: macaroon.Access, text: text, req: caveat.Request{ConsumerToken: consumer}}
	c.setDefaults(&q.req)
	if err := q.examine(); err != nil {
		c.counts.refusedLocally.Add(1)
		return Scope{}, err
	}
	if err := c.checkDomains(ctx, q); err != nil {
		return Scope{}, err
	}
	body := map[string]any{"token": text}
	if consumer != "" {
		body["consumerToken"] = string(consumer)
	}
	var scope Scope
	answered, err := c.do(ctx, request{
		method: http.MethodPost, path: "/tokens/infer_access_token_scope", body: body, repeatable: true, limited: true,
		decode: func(data []byte) error {
			var members map[string]json.RawMessage
			if err := json.Unmarshal(data, &members); err != nil {
				return err
			}
			if members["validUntil"] == nil || members["dataAccessScope"] == nil {
				return errors.New("it lacks validUntil or dataAccessScope")
			}
			return json.Unmarshal(data, &scope)
		},
	})
	if refused, ok := err.(*errors.Error); ok {
		return Scope{}, c.refusal(answered.status, refused)
	}
	return scope, err
}
