package discharge

import (
	"context"
	"net/http"
	"net/url"

	"github.com/onezone-go/onezone/errors"
)

// Check decides whether a condition holds for a client. A [Handler] calls it for
// each caveat that it is asked to discharge, and again whenever the client of an
// earlier [ComeBack] or [Ask] returns. It must be safe for concurrent use, and
// give the same answer to the same question until the visit is over.
//
// A Check refuses with an error of the catalogue, such as errors.Forbidden or
// errors.Unauthorized, which the client receives. Any other error is operational:
// the Handler logs it, and answers serviceUnavailable.
type Check func(ctx context.Context, q Question) (Answer, error)

// Question is one condition, and the client that wants it discharged.
type Question struct {
	// Condition is what has to hold. The service that added the caveat wrote it,
	// or whoever else knows the public key: it is not authenticated.
	Condition string
	// Visit identifies one attempt of a client to get this discharge, over several
	// requests. It cannot be guessed. A page to which the user is sent gets it in
	// its URL, and records under it what the user has done.
	Visit string
	// Request is the HTTP request of the client, with its credentials and its
	// address. Its body has been read.
	Request *http.Request
}

// Answer is the answer to a [Question]: [Grant], [ComeBack] or [Ask]. The zero
// Answer is none, and an operational error.
type Answer struct {
	kind    answerKind
	caveats []string
	needs   []Caveat
	userURL string
}

type answerKind int

const (
	noAnswer answerKind = iota
	granted
	comeBack
)

// Grant answers that the condition holds. The texts become first-party caveats of
// the discharge, which the verifying service checks like its own. One should limit
// the time: "time < 1700000000".
func Grant(texts ...string) Answer { return Answer{kind: granted, caveats: texts} }

// Needing returns a copy of the answer, which must be a [Grant], whose discharge
// itself needs the discharges of these caveats.
func (a Answer) Needing(caveats ...Caveat) Answer {
	a.needs = append(a.needs[:len(a.needs):len(a.needs)], caveats...)
	return a
}

// ComeBack answers that the condition is not decided yet. The client asks again.
func ComeBack() Answer { return Answer{kind: comeBack} }

// Ask answers that the user has to visit a page first, such as the page to log
// in. The URL is absolute, or relative to the location of the discharger; it
// should contain [Question].Visit. The client shows it to the user, and asks
// again.
func Ask(userURL string) Answer { return Answer{kind: comeBack, userURL: userURL} }

// problem returns an error for an answer that a Check must not give.
func (a Answer) problem() error {
	switch {
	case a.kind == noAnswer:
		return errors.New("the Check returned the zero Answer; it must return Grant, ComeBack or Ask")
	case a.kind == comeBack && len(a.needs) > 0:
		return errors.New("the Check returned Needing without Grant")
	}
	if _, err := url.Parse(a.userURL); err != nil {
		return errors.New("the Check returned Ask with an invalid URL")
	}
	return nil
}
