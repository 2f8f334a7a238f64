package main

import (
	"context"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/discharge"
)

// userCondition begins the condition that the client acts for a user: "user =
// alice".
const userCondition = "user = "

// lifetime is how long a discharge is good, and how long a log-in is kept.
const lifetime = 15 * time.Minute

// identity is the identity service: a discharger with a page to log in.
type identity struct {
	authority *macaroon.Authority

	mu     sync.Mutex
	logIns map[string]logIn // by visit
}

type logIn struct {
	user string
	at   time.Time
}

// newIdentity returns the service for the users of an authority.
func newIdentity(authority *macaroon.Authority, key discharge.PrivateKey) (http.Handler, error) {
	i := &identity{authority: authority, logIns: make(map[string]logIn)}
	discharger, err := discharge.NewHandler(key, i.check)
	mux := http.NewServeMux()
	mux.Handle("/discharge", discharger)
	mux.Handle("/discharge/", discharger)
	mux.HandleFunc("GET /login", i.page)
	mux.HandleFunc("POST /login", i.logIn)
	return mux, err
}

// check decides whether the client acts for the user in the condition.
func (i *identity) check(_ context.Context, q discharge.Question) (discharge.Answer, error) {
	user, ok := strings.CutPrefix(q.Condition, userCondition)
	if !ok {
		return discharge.Answer{}, errors.BadDataHint("condition", "this discharger knows only "+userCondition+"NAME")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch l, found := i.logIns[q.Visit]; {
	case !found:
		return discharge.Ask("login?visit=" + url.QueryEscape(q.Visit)), nil
	case l.user != user:
		return discharge.Answer{}, errors.Forbidden("you are " + l.user + ", not " + user)
	}
	return discharge.Grant(caveat.Until(time.Now().Add(lifetime)).String()), nil
}

var loginPage = template.Must(template.New("login").Parse(`<!DOCTYPE html>
<title>Log in</title>
<p>A program on your computer wants to act for you. Log in only if you have just started it.</p>
<form method="post">
<input type="hidden" name="visit" value="{{.}}">
<label>Name <input name="user"></label>
<label>Password <input name="password" type="password"></label>
<button>Log in</button>
</form>
`))

func (i *identity) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'")
	_ = loginPage.Execute(w, r.FormValue("visit"))
}

// logIn records the user of a visit.
func (i *identity) logIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	subject, err := i.authority.LogIn(r.Context(), r.PostFormValue("user"), r.PostFormValue("password"))
	if err != nil {
		http.Error(w, "the name or the password is wrong", http.StatusForbidden)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	maps.DeleteFunc(i.logIns, func(_ string, l logIn) bool { return time.Since(l.at) > lifetime })
	i.logIns[r.PostFormValue("visit")] = logIn{subject.ID, time.Now()}
	_, _ = w.Write([]byte("You can close this page.\n"))
}
