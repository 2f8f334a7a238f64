package remote

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
)

// verified is a good answer: Onezone vouches for the token.
type verified struct {
	subject caveat.Subject
	ttl     *int64 // seconds; nil: the token does not expire

	additions []caveat.Addition // of the owner of the token
}

// readVerified reads the body of a good answer, which must fit the token. The
// error has no error of the catalogue in its chain.
func (q *question) readVerified(body []byte) (v verified, err error) {
	members, err := strictjson.Parse(body)
	if err != nil {
		return verified{}, errors.New("it is not JSON that has one meaning")
	}
	if v.additions, err = readAdditions(q.req.Vocabulary, members["serverCaveats"], members["serverCaveatsAdded"]); err != nil {
		return verified{}, err
	}
	subject, _ := strictjson.Parse(members["subject"])
	id, _ := strictjson.Text(subject["id"])
	switch name, _ := strictjson.Text(subject["type"]); name {
	case caveat.SubjectUser.String():
		v.subject = caveat.User(id)
	case caveat.SubjectProvider.String():
		v.subject = caveat.Provider(id)
	default:
		return verified{}, fmt.Errorf("its subject has the type %.50q", name)
	}
	if text := string(members["ttl"]); text != "null" {
		ttl, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return verified{}, errors.New("its ttl is neither a number of seconds nor null")
		}
		v.ttl = &ttl
	}
	token := q.token.Token()
	switch {
	case v.subject.ID == "":
		return verified{}, errors.New("its subject has no id")
	case token.Version() != 1 && v.subject != token.Subject():
		return verified{}, errors.New("its subject is not that of the token")
	case v.ttl != nil && *v.ttl <= 0:
		return verified{}, errors.New("by its ttl the token has expired")
	case v.ttl == nil && q.expires:
		return verified{}, errors.New("it has no ttl, and the token expires")
	}
	return v, nil
}

// verdict returns the error about the token in a refusal; nil if the refusal is
// about something else, such as the form of the request. Undecodable tokens
// are reported as bad fields of the body.
func verdict(status int, e *errors.Error) *errors.Error {
	if status != http.StatusBadRequest {
		return nil
	}
	switch e.ID {
	case errors.IDBadValueToken:
		inner, _ := e.Details["tokenError"].(*errors.Error)
		switch key := e.Details["key"]; {
		case inner == nil:
			return nil
		case key == "token":
			return inner
		case key == "serviceToken":
			return errors.BadServiceToken(inner)
		case key == "consumerToken":
			return errors.BadConsumerToken(inner)
		}
		return nil
	case errors.IDBadToken, errors.IDTokenTooLarge, errors.IDTokenInvalid, errors.IDTokenRevoked,
		errors.IDBadServiceToken, errors.IDBadConsumerToken,
		errors.IDNotAnAccessToken, errors.IDNotAnIdentityToken, errors.IDNotAnInviteToken,
		errors.IDTokenCaveatUnknown, errors.IDTokenCaveatUnverified, errors.IDTokenSubjectInvalid,
		errors.IDTokenServiceForbidden, errors.IDTokenSessionInvalid, errors.IDUserBlocked,
		errors.IDInviteTokenSubjectNotAuthorized:
		return e
	}
	return nil
}

// refusal returns the error about the token in a refusal, or an operational
// error if the refusal is about something else. That error names only the id,
// because the details may quote a token of the question.
func (c *Client) refusal(status int, e *errors.Error) error {
	if about := verdict(status, e); about != nil {
		return about
	}
	return c.failed(fmt.Errorf("it refused the question and not the token: %.50q", e.ID))
}
