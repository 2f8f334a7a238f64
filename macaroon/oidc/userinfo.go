package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/onezone-go/onezone/errors"
)

const (
	// acceptedFor is how long an answer of the userinfo endpoint is used. A token
	// that was revoked is accepted for so long.
	acceptedFor = 30 * time.Second
	// refusedFor is how long a refusal is used.
	refusedFor = 10 * time.Second
	// maxAnswers is the maximum number of remembered answers.
	maxAnswers = 10_000
	// maxQuestions is the maximum number of questions at once.
	maxQuestions = 16
)

// userinfo asks the userinfo endpoint of the issuer.
type userinfo struct {
	options Options
	client  *http.Client
	slots   chan struct{}

	mu      sync.Mutex
	answers map[[sha256.Size]byte]answer // by the hash of the token
}

type answer struct {
	who   identity
	err   error // a refusal, or nil
	until time.Time
}

func newUserinfo(o Options, client *http.Client) *userinfo {
	return &userinfo{
		options: o, client: client, slots: make(chan struct{}, maxQuestions), answers: map[[sha256.Size]byte]answer{},
	}
}

// ask returns what the endpoint says about a token. A refusal is the verdict of
// the endpoint; other errors are operational.
func (u *userinfo) ask(ctx context.Context, url, token string) (identity, error) {
	if url == "" {
		return identity{}, errors.New("the issuer has no userinfo endpoint")
	}
	id := sha256.Sum256([]byte(token))
	if a, ok := u.remembered(id); ok {
		return a.who, a.err
	}
	select {
	case u.slots <- struct{}{}:
		defer func() { <-u.slots }()
	case <-ctx.Done():
		return identity{}, fmt.Errorf("waiting for other questions to the userinfo endpoint: %w", ctx.Err())
	}
	who, err := u.fetch(ctx, url, token)
	lifetime := acceptedFor
	if err != nil {
		if _, ok := errors.AsType[refusal](err); !ok {
			return identity{}, fmt.Errorf("asking the userinfo endpoint: %w", err)
		}
		lifetime = refusedFor
	}
	u.remember(id, answer{who, err, u.options.Now().Add(lifetime)})
	return who, err
}

func (u *userinfo) fetch(ctx context.Context, url, token string) (identity, error) {
	status, body, err := get(ctx, u.client, url, token)
	switch {
	case err != nil:
		return identity{}, err
	case status == http.StatusBadRequest, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return identity{}, refusal("the userinfo endpoint refuses the token")
	case status != http.StatusOK:
		return identity{}, fmt.Errorf("it answered with the status %d", status)
	}
	var c claims
	if err := json.Unmarshal(body, &c); err != nil || c == nil {
		return identity{}, errors.New("its answer is not a JSON object")
	}
	who, err := u.options.identity(c)
	if err != nil {
		return identity{}, fmt.Errorf("its answer is malformed: %v", err)
	}
	who.asked = true
	return who, nil
}

func (u *userinfo) remembered(id [sha256.Size]byte) (answer, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	a, ok := u.answers[id]
	left := a.until.Sub(u.options.Now())
	return a, ok && left > 0 && left <= acceptedFor
}

// remember keeps an answer. If there are too many, it forgets those that are too
// old, or if none is, all.
func (u *userinfo) remember(id [sha256.Size]byte, a answer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.answers) >= maxAnswers {
		now := u.options.Now()
		for other, old := range u.answers {
			if !old.until.After(now) {
				delete(u.answers, other)
			}
		}
		if len(u.answers) >= maxAnswers {
			clear(u.answers)
		}
	}
	u.answers[id] = a
}
