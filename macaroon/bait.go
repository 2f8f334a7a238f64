package macaroon

import (
	"context"
	"sync"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// baitUse is the refusal of a genuine token that is a canary.
type baitUse struct {
	bait    store.Bait
	subject caveat.Subject
}

func (*baitUse) Error() string { return "a canary was used" }

const (
	alarmInterval = time.Minute      // between the alarms of one canary
	maxAlarms     = 4096             // canaries whose last alarm is remembered
	alarmTimeout  = 30 * time.Second // of the revocation of a family
)

// alarms limits the alarms of each canary.
type alarms struct {
	mu   sync.Mutex
	last map[string]time.Time // by token id
}

// raise reports whether the use of a canary at this time should raise an alarm.
func (a *alarms) raise(id string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last, ok := a.last[id]; ok && now.Sub(last).Abs() < alarmInterval {
		return false
	}
	if a.last == nil || len(a.last) >= maxAlarms {
		a.last = make(map[string]time.Time) // at worst, some canaries raise another alarm
	}
	a.last[id] = now
	return true
}

// forget lets the next use of the canary raise an alarm.
func (a *alarms) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.last, id)
}

// useBait returns the event of the use of a canary: an alarm, or a refusal like
// that of a revoked token if there was an alarm in the last minute. What follows
// from an alarm runs in the background, because the answer to the client must
// not take longer than that of a revoked token.
func (a *Authority) useBait(ctx context.Context, t *Token, use *baitUse) EventKind {
	id := t.ID()
	if !a.alarms.raise(id, a.clock()) {
		return Refused
	}
	if use.bait == store.BaitRevokesFamily {
		go a.revokeFamilyOfBait(ctx, Event{Kind: BaitUsed, TokenID: id, Type: t.Type(), Subject: use.subject})
	}
	return BaitUsed
}

// revokeFamilyOfBait revokes the family of a canary. If that fails, it reports
// the alarm again with the error, and the next use tries again.
func (a *Authority) revokeFamilyOfBait(ctx context.Context, alarm Event) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), alarmTimeout)
	defer cancel()
	top, err := a.topOfFamily(ctx, alarm.TokenID, alarm.Subject)
	if err == nil {
		err = a.RevokeFamily(ctx, top)
	}
	if err != nil && !errors.Is(err, errors.IDNotFound) {
		a.alarms.forget(alarm.TokenID)
		alarm.Err = err
		a.observe(ctx, alarm)
	}
}

// topOfFamily returns the last token on the way from the token to its parents
// that has a record and the same subject. The tokens of other subjects are not
// followed, so that nobody can revoke them with a canary of their own.
func (a *Authority) topOfFamily(ctx context.Context, id string, subject caveat.Subject) (string, error) {
	seen := make(map[string]bool)
	for top := id; ; {
		t, err := a.store.GetToken(ctx, id)
		switch {
		case errors.Is(err, errors.IDNotFound):
			return top, nil
		case err != nil:
			return "", err
		case t.Subject != subject || seen[id]:
			return top, nil
		}
		seen[id] = true
		if top, id = t.ID, t.Parent; id == "" {
			return top, nil
		}
	}
}
