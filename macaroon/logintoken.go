package macaroon

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

const (
	// LogInTTL is the lifetime of a log-in token.
	LogInTTL = 10 * time.Minute
	// MaxLogIn is how long a log-in can be continued with new log-in tokens.
	MaxLogIn = 12 * time.Hour

	// logInPrefix begins the ids of log-in tokens, before the Unix seconds of the
	// log-in. The id is signed, so holders of other tokens cannot change it.
	logInPrefix = "login-"
)

// IssueLogIn issues a log-in token: a temporary access token that stands for a
// log-in of the user for [LogInTTL]. The caller must have logged the user in,
// at the time since, or must hold the user's log-in token with that time
// ([Auth.LogIn]) to continue the log-in.
//
// A client with a log-in token acts like one with the password: the tokens that
// it creates do not inherit the end of the log-in. A copy with more caveats is
// not a log-in token, and its caveats are inherited. [Authority.RevokeTemporary]
// ends all log-ins of the user.
//
// Errors: forbidden if since is in the future or more than [MaxLogIn] ago, and
// those of [Authority.Issue].
func (a *Authority) IssueLogIn(ctx context.Context, user caveat.Subject, since time.Time) (Token, error) {
	now := a.clock()
	if age := now.Sub(since); age < -time.Second || age > MaxLogIn {
		return Token{}, errors.Forbidden(fmt.Sprintf("a log-in lasts %d hours: log in again", MaxLogIn/time.Hour))
	}
	random, err := a.newID()
	if err != nil {
		return Token{}, err
	}
	return a.Issue(ctx, Grant{
		Subject: user, Type: AccessToken(), Caveats: []caveat.Caveat{caveat.Until(now.Add(min(LogInTTL, a.maxTTL)))},
		id: logInPrefix + strconv.FormatInt(since.Unix(), 10) + "-" + random,
	})
}

// LogIn returns the time of the log-in that the token stands for. ok is false if
// it is not a log-in token ([Authority.IssueLogIn]).
func (a Auth) LogIn() (since time.Time, ok bool) {
	text, ok := strings.CutPrefix(a.TokenID, logInPrefix)
	if !ok || !a.verified || !a.temporary || a.Type != AccessToken() || a.discharged {
		return time.Time{}, false
	}
	// Issued with one caveat, the end of the log-in. A holder of a confined
	// copy must not get rid of its caveats.
	if cs := a.Caveats(); len(cs) != 1 || cs[0].Type() != caveat.TypeTime {
		return time.Time{}, false
	}
	seconds, _, _ := strings.Cut(text, "-")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(unix, 0), err == nil
}

// IsConfined reports whether the token has caveats that everything its client
// gets must have, too. The end of a log-in is not such a caveat.
func (a Auth) IsConfined() bool {
	_, logIn := a.LogIn()
	return a.discharged || !logIn && a.caveats.Len() > 0
}
