package macaroontest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// wrong is the authority of an Onezone as a verifier, with a fault, named as in
// verifierfaults_test.go. Without a fault it conforms.
type wrong struct {
	fault   string
	onezone *macaroontest.Remote

	mu      sync.Mutex
	answers map[string]answer // of faults that remember answers
	last    string            // text of the last token, of "confuses callers"
	failed  bool              // of "never recovers"
}

type answer struct {
	auth  macaroon.Auth
	err   error
	until time.Time // by the clock of the Onezone
}

// question is one verification.
type question struct {
	class  macaroon.Class
	invite macaroon.InviteType
	text   string
	req    caveat.Request
}

func newWrong(fault string, onezone *macaroontest.Remote) *wrong {
	return &wrong{fault: fault, onezone: onezone, answers: make(map[string]answer)}
}

func (w *wrong) VerifyAccess(ctx context.Context, text string, req caveat.Request) (macaroon.Auth, error) {
	return w.verify(ctx, question{macaroon.Access, 0, text, req})
}

func (w *wrong) VerifyIdentity(ctx context.Context, text string, req caveat.Request) (macaroon.Auth, error) {
	return w.verify(ctx, question{macaroon.Identity, 0, text, req})
}

func (w *wrong) VerifyInvite(ctx context.Context, text string, expected macaroon.InviteType, req caveat.Request) (macaroon.Auth, error) {
	return w.verify(ctx, question{macaroon.Invite, expected, text, req})
}

// rightly is the verification without a fault.
func (w *wrong) rightly(ctx context.Context, q question) (macaroon.Auth, error) {
	switch q.class {
	case macaroon.Identity:
		return w.onezone.Authority.VerifyIdentity(ctx, q.text, q.req)
	case macaroon.Invite:
		return w.onezone.Authority.VerifyInvite(ctx, q.text, q.invite, q.req)
	}
	return w.onezone.Authority.VerifyAccess(ctx, q.text, q.req)
}

// verify changes the question, the way to the answer, or the answer.
func (w *wrong) verify(ctx context.Context, q question) (macaroon.Auth, error) {
	w.ask(&q)
	if err := w.refuseEarly(ctx, q); err != nil {
		return macaroon.Auth{}, err
	}
	switch w.fault {
	case "uses no context":
		ctx = context.WithoutCancel(ctx)
	case "takes a canceled context for a refusal":
		if ctx.Err() != nil {
			return macaroon.Auth{}, errors.TokenInvalid()
		}
	case "confuses callers":
		w.mu.Lock()
		w.last = q.text
		w.mu.Unlock()
		runtime.Gosched()
		w.mu.Lock()
		q.text = w.last
		w.mu.Unlock()
	case "takes an outage for a bad token", "takes an outage for a good token", "takes every answer for a good token",
		"takes every 4xx for a bad token", "ignores the deadline of its caller", "never recovers":
		if auth, err, decided := w.askOverHTTP(ctx, q); decided {
			return auth, err
		}
	}
	if key, life, ok := w.remembering(q); ok {
		return w.remember(ctx, q, key, life)
	}
	auth, err := w.rightly(ctx, q)
	if err != nil {
		return w.refuse(q, auth, err)
	}
	return w.accept(ctx, q, auth), nil
}

// refuseEarly returns a refusal for which nothing needs to be asked.
func (w *wrong) refuseEarly(ctx context.Context, q question) error {
	token := tokenOf(q.text)
	switch {
	case w.fault == "checks the session of identities" && q.class == macaroon.Identity && !q.req.Session.Accepts(""),
		w.fault == "gives panels no sessions" && !q.req.Session.Accepts(token.Type().Session()):
		return errors.TokenSessionInvalid()
	case w.fault == "needs an invite type" && q.class == macaroon.Invite && q.invite == 0:
		return errors.NotAnInviteToken("any", token.Type())
	case w.fault == "verifies parties last":
		q.req.ServiceToken, q.req.ConsumerToken = "", ""
		_, err := w.rightly(ctx, q)
		return err
	}
	return nil
}

// ask changes the question.
func (w *wrong) ask(q *question) {
	switch w.fault {
	case "ignores the session":
		q.req.Session = caveat.AnySession()
	case "ignores the address":
		q.req.IP = address
	case "takes any invitation":
		q.invite = 0
	case "ignores the consumer token":
		q.req.ConsumerToken = ""
	case "ignores the service token":
		q.req.ServiceToken = ""
	case "believes the consumer token":
		if token, err := macaroon.Parse(string(q.req.ConsumerToken)); err == nil {
			q.req.Consumer, q.req.ConsumerToken = token.Subject(), ""
		}
	case "believes the service token":
		if token, err := macaroon.Parse(string(q.req.ServiceToken)); err == nil {
			q.req.Service, q.req.ServiceToken = caveat.Service{Type: max(token.Indicated(), caveat.OpWorker), ID: token.Subject().ID}, ""
		}
	case "uses the wall clock":
		q.req.Now = time.Now()
	case "trims texts":
		q.text = strings.TrimSpace(q.text)
	case "changes the request":
		q.req.Ignored = append(q.req.Ignored, caveat.TypeIP)
	case "takes identities for access":
		q.class = macaroon.Access
	case "allows data access":
		q.req.DataAccess = true
	case "takes no interface for REST":
		q.req.Interface = max(q.req.Interface, caveat.REST)
	}
}

// vouch returns what the token proves if nothing is checked, without caveats.
func (w *wrong) vouch(ctx context.Context, q question) (macaroon.Auth, error) {
	token, err := macaroon.Parse(q.text)
	if err != nil {
		return macaroon.Auth{}, err
	}
	return w.bare(ctx, q, token, token.Subject())
}

// bare returns what the token proves, without its caveats.
func (w *wrong) bare(ctx context.Context, q question, token macaroon.Token, subject caveat.Subject) (macaroon.Auth, error) {
	copied, err := macaroon.Mint(macaroon.Spec{Domain: "onezone", ID: token.ID(), Subject: subject, Type: token.Type()}, secret)
	if err != nil {
		return macaroon.Auth{}, err
	}
	candidate, err := macaroon.NewCandidate(copied.String(), nil)
	if err != nil {
		return macaroon.Auth{}, err
	}
	return candidate.Vouched(ctx, subject, caveat.Request{IP: q.req.IP, Session: caveat.AnySession()})
}

// accept returns a wrong result of a good token.
func (w *wrong) accept(ctx context.Context, q question, auth macaroon.Auth) macaroon.Auth {
	token, err := macaroon.Parse(q.text)
	if err != nil {
		return auth
	}
	switch w.fault {
	case "forgets caveats":
		auth, _ = w.bare(ctx, q, token, auth.Subject)
	case "forgets caveats of known tokens":
		w.mu.Lock()
		_, known := w.answers[q.text]
		w.answers[q.text] = answer{}
		w.mu.Unlock()
		if known {
			auth, _ = w.bare(ctx, q, token, auth.Subject)
		}
	case "forgets the address":
		auth.PeerIP = q.req.IP.Next()
	case "forgets the session":
		auth.Session = ""
	case "forgets the service":
		auth.Service = 0
	case "takes the subject of the text":
		auth.Subject = token.Subject()
	}
	return auth
}

// refuse returns a wrong refusal of a bad token.
func (w *wrong) refuse(q question, auth macaroon.Auth, err error) (macaroon.Auth, error) {
	ctx := context.Background()
	e, refused := err.(*errors.Error)
	if !refused {
		return auth, err
	}
	switch {
	case w.fault == "accepts everything",
		w.fault == "accepts revoked tokens" && e.ID == errors.IDTokenRevoked,
		w.fault == "accepts forged tokens" && e.ID == errors.IDTokenInvalid,
		w.fault == "skips unknown caveats" && e.ID == errors.IDTokenCaveatUnknown,
		w.fault == "ignores blocking" && e.ID == errors.IDUserBlocked,
		w.fault == "takes access tokens for identities" && e.ID == errors.IDNotAnIdentityToken,
		w.fault == "lets every subject use every service" && e.ID == errors.IDTokenServiceForbidden:
		return w.vouch(ctx, q)
	case w.fault == "refuses with an operational error":
		err = fmt.Errorf("verify a token: %w", err)
	case w.fault == "refuses with unauthorized":
		err = errors.Unauthorized(e)
	case w.fault == "proves something when it refuses":
		auth, _ = w.vouch(ctx, q)
	case w.fault == "shows tokens in errors":
		shown := *e
		shown.Description = e.Description + " " + q.text
		err = &shown
	case w.fault == "loses details":
		err = errors.Make(e.ID, map[string]any{})
	case w.fault == "reports every bad token as invalid":
		err = errors.TokenInvalid()
	case w.fault == "reports large texts as bad tokens" && e.ID == errors.IDTokenTooLarge:
		err = errors.BadToken("it is too large")
	case w.fault == "reports the last caveat" && e.ID == errors.IDTokenCaveatUnverified:
		if token, failed := macaroon.Parse(q.text); failed == nil {
			c, _ := caveat.Parse(token.Caveats()[len(token.Caveats())-1])
			err = errors.TokenCaveatUnverified(c, "")
		}
	}
	return auth, err
}

// remembering returns the key under which a fault remembers the answer, and for
// how long; ok is false for other faults.
func (w *wrong) remembering(q question) (key string, life time.Duration, ok bool) {
	full := struct {
		Class                                                         macaroon.Class
		Invite                                                        macaroon.InviteType
		Text, IP, Interface, Service, Consumer, ServiceToken, Session string
		DataAccess                                                    bool
	}{
		q.class, q.invite, q.text, q.req.IP.String(), q.req.Interface.Name(), "", string(q.req.ConsumerToken), string(q.req.ServiceToken),
		fmt.Sprint(q.req.Session), q.req.DataAccess,
	}
	life = 30 * time.Second
	switch w.fault {
	case "remembers without the address":
		full.IP = ""
	case "remembers without the interface":
		full.Interface = ""
	case "remembers without the consumer":
		full.Consumer = ""
	case "remembers without the service":
		full.ServiceToken = ""
	case "remembers without the session":
		full.Session = ""
	case "remembers without the data access":
		full.DataAccess = false
	case "remembers without the class":
		full.Class = 0
	case "remembers without the invite type":
		full.Invite = 0
	case "remembers by the id":
		full.Text = tokenOf(q.text).ID()
	case "remembers good answers for ever", "remembers refusals for ever":
		life = 1000 * time.Hour
	case "remembers good answers past their end":
	default:
		return "", 0, false
	}
	raw, _ := json.Marshal(full)
	return string(raw), life, true
}

// remember answers from memory, if it can.
func (w *wrong) remember(ctx context.Context, q question, key string, life time.Duration) (macaroon.Auth, error) {
	now := w.onezone.Clock.Now()
	w.mu.Lock()
	a, ok := w.answers[key]
	w.mu.Unlock()
	if ok && now.Before(a.until) {
		return a.auth, a.err
	}
	auth, err := w.rightly(ctx, q)
	until := now.Add(life)
	if validUntil, expires := auth.Expiry(); expires && w.fault != "remembers good answers past their end" && until.Unix() > validUntil {
		until = time.Unix(validUntil, 0)
	}
	if err != nil && w.fault == "remembers good answers for ever" || err == nil && w.fault == "remembers refusals for ever" {
		until = now
	}
	if _, refused := err.(*errors.Error); refused || err == nil {
		w.mu.Lock()
		w.answers[key] = answer{auth, err, until}
		w.mu.Unlock()
	}
	return auth, err
}

// askOverHTTP asks the Onezone over its API, and misunderstands how it fails.
func (w *wrong) askOverHTTP(ctx context.Context, q question) (auth macaroon.Auth, err error, decided bool) {
	if w.fault == "ignores the deadline of its caller" {
		patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		ctx = patient
	}
	status, _, err := ask(ctx, w.onezone, tokenOf(q.text))
	switch {
	case err != nil && w.fault == "ignores the deadline of its caller":
		return macaroon.Auth{}, errors.New("the Onezone did not answer"), true
	case w.fault == "never recovers":
		w.mu.Lock()
		defer w.mu.Unlock()
		w.failed = w.failed || err != nil
		return macaroon.Auth{}, errors.New("the Onezone did not answer"), w.failed
	case err != nil && ctx.Err() != nil:
		return macaroon.Auth{}, ctx.Err(), true
	case err != nil && w.fault == "takes an outage for a bad token":
		return macaroon.Auth{}, errors.TokenInvalid(), true
	case err != nil && w.fault == "takes an outage for a good token", status == http.StatusOK && w.fault == "takes every answer for a good token":
		auth, err = w.vouch(ctx, q)
		return auth, err, true
	case err == nil && status >= 400 && status < 500 && w.fault == "takes every 4xx for a bad token":
		return macaroon.Auth{}, errors.TokenInvalid(), true
	}
	return macaroon.Auth{}, nil, false
}

// tokenOf parses the text; the result is zero if it is no token.
func tokenOf(text string) macaroon.Token {
	token, _ := macaroon.Parse(text)
	return token
}
