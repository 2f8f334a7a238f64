package remote

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// Credentials authenticate the calls of an [Account]. The zero Credentials are
// none.
type Credentials struct {
	header func(ctx context.Context, c *Client) (http.Header, error)
}

// headerToken carries the access token of a client.
const headerToken = "X-Auth-Token"

// ByToken returns credentials that consist of an access token, which is taken
// from the source for each call.
func ByToken(source Source) Credentials {
	return Credentials{func(ctx context.Context, c *Client) (http.Header, error) {
		token, err := source(ctx)
		if err != nil {
			return nil, operational.Error("get the token of a client", err)
		}
		if err := c.checkDomain(ctx, token); err != nil {
			return nil, err
		}
		return http.Header{headerToken: {token.String()}}, nil
	}}
}

// ByPassword returns the credentials of a user with a password.
func ByPassword(username, password string) Credentials {
	return Credentials{func(context.Context, *Client) (http.Header, error) {
		r := http.Request{Header: make(http.Header)}
		r.SetBasicAuth(username, password)
		return r.Header, nil
	}}
}

// Account manages tokens at Onezone for a client with credentials. Its methods
// are those of [macaroon.Authority] with the same names, over the token API. It
// is safe for concurrent use.
//
// Each call is one request, and nothing is cached. Subjects name whose tokens a
// call is about. The zero Subject is the user with the credentials; others,
// Oneproviders included, must be named.
//
// Errors are those of the catalogue that Onezone answered: an *[errors.Error]
// with its id, details and description. Those about the credentials are
// unauthorized {authError}, those about the rights of the client forbidden. A
// token of another domain is not sent: the error is tokenInvalid. All other
// errors are operational. If Onezone asked to wait, they have a method
// RetryAfter() time.Duration. Calls that change nothing are repeated if Onezone
// does not answer, and all calls if it answered 429 and the wait fits into
// [WithTimeout] and the deadline of the caller.
type Account struct {
	client      *Client
	credentials Credentials
}

// As returns the token API for a client with the credentials.
func (c *Client) As(credentials Credentials) *Account { return &Account{c, credentials} }

// IssueNamed creates a named token. The zero type is that of access tokens.
// Grant.Parent must be nil: Onezone itself adds the caveats of the client's
// token. Errors: badData {key "parent"}, and those of Onezone.
func (a *Account) IssueNamed(ctx context.Context, name string, g macaroon.Grant) (macaroon.Token, error) {
	return a.issue(ctx, "named", g, grantBody{
		Name: &name, Custom: g.Custom, Revoked: g.Revoked, Privileges: g.Privileges, UsageLimit: g.UsageLimit, Bait: baitName(g.Bait),
	})
}

// Issue creates a temporary token. It must have a time caveat. The fields of the
// grant are those of IssueNamed; those that belong to a record must be zero.
// Errors: badData {key "parent"} or {key "custom"}, and those of Onezone.
func (a *Account) Issue(ctx context.Context, g macaroon.Grant) (macaroon.Token, error) {
	if g.Custom != nil || g.Revoked || g.Privileges != nil || g.UsageLimit != 0 || g.Bait != 0 {
		return macaroon.Token{}, errors.BadDataHint("custom",
			"a temporary token has no record, so it has no metadata, privileges and usage limit, and is no canary")
	}
	return a.issue(ctx, "temporary", g, grantBody{})
}

// grantBody is the body of a request for a token. Members that are zero are left
// out.
type grantBody struct {
	Name       *string         `json:"name,omitzero"`
	Type       macaroon.Type   `json:"type,omitzero"`
	Caveats    []caveat.Caveat `json:"caveats"`
	Custom     json.RawMessage `json:"customMetadata,omitzero"`
	Revoked    bool            `json:"revoked,omitzero"`
	Privileges []string        `json:"privileges,omitzero"`
	UsageLimit int64           `json:"usageLimit,omitzero"`
	Bait       any             `json:"bait,omitzero"`
}

// issue creates a token with what all tokens have, and what the body says.
func (a *Account) issue(ctx context.Context, persistence string, g macaroon.Grant, body grantBody) (t macaroon.Token, err error) {
	if g.Parent != nil {
		return t, errors.BadDataHint("parent", "Onezone itself adds the caveats of the client's token, so the parent must be nil")
	}
	body.Type, body.Caveats = g.Type, append([]caveat.Caveat{}, g.Caveats...)
	err = a.call(ctx, request{
		method: http.MethodPost, path: ownedPath(g.Subject, persistence), body: body, decode: readToken(&t),
	})
	return t, err
}

// readToken returns a function that reads a response with the text of a token.
func readToken(t *macaroon.Token) func(body []byte) error {
	return func(body []byte) error {
		var answer struct {
			Token string `json:"token"`
		}
		err := json.Unmarshal(body, &answer)
		if err == nil {
			*t, err = macaroon.Parse(answer.Token)
		}
		return err
	}
}

// Get returns the named token with the id.
func (a *Account) Get(ctx context.Context, id string) (macaroon.Named, error) {
	return a.get(ctx, tokenPath(id))
}

// GetByName returns the named token of the subject with exactly this name.
func (a *Account) GetByName(ctx context.Context, subject caveat.Subject, name string) (macaroon.Named, error) {
	return a.get(ctx, ownedPath(subject, "named")+"/name/"+url.PathEscape(name))
}

func (a *Account) get(ctx context.Context, path string) (n macaroon.Named, err error) {
	err = a.fetch(ctx, path, func(body []byte) (err error) {
		n, err = a.client.readNamed(body)
		return err
	})
	return n, err
}

// fetch gets a resource and reads it with decode.
func (a *Account) fetch(ctx context.Context, path string, decode func(body []byte) error) error {
	return a.call(ctx, request{method: http.MethodGet, path: path, repeatable: true, decode: decode})
}

// readInto returns a function that reads the JSON of a response into answer, and
// fails unless it then has the member.
func readInto(answer any, member string, has func() bool) func(body []byte) error {
	return func(body []byte) error {
		err := json.Unmarshal(body, answer)
		if err == nil && !has() {
			err = errors.New("it lacks " + member)
		}
		return err
	}
}

// readNamed reads a named token with the content of its record.
func (c *Client) readNamed(body []byte) (n macaroon.Named, err error) {
	var answer struct {
		Name    string          `json:"name"`
		Subject caveat.Subject  `json:"subject"`
		Revoked bool            `json:"revoked"`
		Token   string          `json:"token"`
		LastUse json.RawMessage `json:"lastUse"` // null and missing differ
		Parent  string          `json:"parentTokenId"`
		Bait    string          `json:"bait"`
		serverCaveats
		Metadata struct {
			CreationTime int64           `json:"creationTime"`
			Custom       json.RawMessage `json:"custom"`
			Privileges   []string        `json:"privileges"`
			UsageLimit   json.RawMessage `json:"usageLimit"`
			UsageCount   int64           `json:"usageCount"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return macaroon.Named{}, err
	}
	token, err := macaroon.Parse(answer.Token)
	if err != nil {
		return macaroon.Named{}, err
	}
	m := answer.Metadata
	n = macaroon.Named{
		Token: token, Name: answer.Name, Subject: answer.Subject, Created: time.Unix(m.CreationTime, 0).UTC(), Revoked: answer.Revoked,
		Custom: m.Custom, Privileges: m.Privileges, UsageCount: m.UsageCount,
		Parent: answer.Parent, Bait: baits[answer.Bait],
	}
	if n.Tightened, err = answer.serverCaveats.read(c.vocabulary); err != nil {
		return macaroon.Named{}, err
	}
	if answer.LastUse != nil {
		if n.LastUse, err = readUse(token.ID(), answer.LastUse); err != nil {
			return macaroon.Named{}, err
		}
	}
	if m.UsageLimit != nil && string(m.UsageLimit) != `"infinity"` {
		err = json.Unmarshal(m.UsageLimit, &n.UsageLimit)
	}
	return n, err
}

// readUse reads the last use of a token, zero for null.
func readUse(id string, text []byte) (*store.Use, error) {
	var use *struct {
		Time      int64  `json:"time"`
		Address   string `json:"address"`
		Service   string `json:"service"`
		Interface string `json:"interface"`
		Count     int64  `json:"count"`
	}
	if err := json.Unmarshal(text, &use); err != nil {
		return nil, err
	}
	if use == nil {
		return new(store.Use), nil
	}
	return &store.Use{
		TokenID: id, At: use.Time, Address: use.Address, Service: use.Service, Interface: use.Interface, Count: use.Count,
	}, nil
}

// IDs returns the ids of all named tokens of the subject, ordered by creation
// time and id.
func (a *Account) IDs(ctx context.Context, subject caveat.Subject) ([]string, error) {
	return a.ids(ctx, ownedPath(subject, "named"))
}

// AllIDs returns the ids of the named tokens of all subjects, ordered by
// creation time and id. It is for administrators.
func (a *Account) AllIDs(ctx context.Context) ([]string, error) { return a.ids(ctx, "/tokens/named") }

// maxList is the largest list of ids, in bytes: more than a million of them.
const maxList = 64 << 20

func (a *Account) ids(ctx context.Context, path string) ([]string, error) {
	var answer struct {
		Tokens []string `json:"tokens"`
	}
	err := a.call(ctx, request{
		method: http.MethodGet, path: path, repeatable: true, maxAnswer: maxList,
		decode: readInto(&answer, "the tokens", func() bool { return answer.Tokens != nil }),
	})
	return answer.Tokens, err
}

// Update changes a named token. Fields of the change that are nil stay
// unchanged. Its Client is not used, because Onezone knows the client.
func (a *Account) Update(ctx context.Context, id string, change macaroon.Change) error {
	var bait *any
	if change.Bait != nil {
		bait = new(baitName(*change.Bait))
	}
	return a.call(ctx, request{method: http.MethodPatch, path: tokenPath(id), body: struct {
		Name      *string         `json:"name,omitzero"`
		Custom    json.RawMessage `json:"customMetadata,omitzero"`
		Revoked   *bool           `json:"revoked,omitzero"`
		Tightened []caveat.Caveat `json:"serverCaveats,omitzero"`
		Bait      *any            `json:"bait,omitzero"`
	}{change.Name, change.Custom, change.Revoked, change.Tightened, bait}})
}

// Revoke marks the named token as revoked.
func (a *Account) Revoke(ctx context.Context, id string) error {
	return a.Update(ctx, id, macaroon.Change{Revoked: new(true)})
}

// Restore undoes the revocation of a named token.
func (a *Account) Restore(ctx context.Context, id string) error {
	return a.Update(ctx, id, macaroon.Change{Revoked: new(false)})
}

// IsRevoked reports whether the named token is revoked. A Oneprovider may ask
// for the tokens of the users that it supports.
func (a *Account) IsRevoked(ctx context.Context, id string) (revoked bool, err error) {
	var answer struct {
		Revoked *bool `json:"revoked"`
	}
	err = a.fetch(ctx, tokenPath(id)+"/status", readInto(&answer, "revoked", func() bool { return answer.Revoked != nil }))
	return err == nil && *answer.Revoked, err
}

// Delete deletes the named token.
func (a *Account) Delete(ctx context.Context, id string) error {
	return a.call(ctx, request{method: http.MethodDelete, path: tokenPath(id)})
}

// DeleteAll deletes all named tokens of the subject.
func (a *Account) DeleteAll(ctx context.Context, subject caveat.Subject) error {
	return a.call(ctx, request{method: http.MethodDelete, path: ownedPath(subject, "named")})
}

// RevokeTemporary revokes all temporary tokens of the subject.
func (a *Account) RevokeTemporary(ctx context.Context, subject caveat.Subject) error {
	return a.call(ctx, request{method: http.MethodDelete, path: ownedPath(subject, "temporary")})
}

// TemporaryGeneration returns the generation of the subject's temporary tokens.
// Tokens of earlier generations are revoked.
func (a *Account) TemporaryGeneration(ctx context.Context, subject caveat.Subject) (int64, error) {
	var answer struct {
		Generation int64 `json:"generation"`
	}
	err := a.fetch(ctx, ownedPath(subject, "temporary"), readInto(&answer, "the generation", func() bool { return answer.Generation > 0 }))
	return answer.Generation, err
}

// CurrentUser returns the user with the credentials.
func (a *Account) CurrentUser(ctx context.Context) (macaroon.User, error) {
	var answer struct {
		UserID           string `json:"userId"`
		Username         string `json:"username"`
		FullName         string `json:"fullName"`
		BasicAuthEnabled bool   `json:"basicAuthEnabled"`
		Blocked          bool   `json:"blocked"`
		CreationTime     int64  `json:"creationTime"`
	}
	err := a.fetch(ctx, "/user", readInto(&answer, "the userId", func() bool { return answer.UserID != "" }))
	if err != nil {
		return macaroon.User{}, err
	}
	u := macaroon.User{
		Subject: caveat.User(answer.UserID), Username: answer.Username, FullName: answer.FullName,
		HasPassword: answer.BasicAuthEnabled, Blocked: answer.Blocked,
	}
	if answer.CreationTime > 0 {
		u.Created = time.Unix(answer.CreationTime, 0).UTC()
	}
	return u, nil
}

// tokenPath returns the path of a named token.
func tokenPath(id string) string { return "/tokens/named/" + url.PathEscape(id) }

// ownedPath returns the path of the named or temporary tokens of the subject.
// That of a subject that can hold no tokens names nothing.
func ownedPath(subject caveat.Subject, persistence string) string {
	owner := "/users/"
	switch {
	case subject.IsZero():
		owner = "/user"
	case subject.Type == caveat.SubjectUser:
		owner += url.PathEscape(subject.ID)
	case subject.Type == caveat.SubjectProvider:
		owner = "/providers/" + url.PathEscape(subject.ID)
	}
	return owner + "/tokens/" + persistence
}
