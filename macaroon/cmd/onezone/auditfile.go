package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
)

// auditFailuresLogged is the shortest interval between log lines about events
// that could not be written.
const auditFailuresLogged = time.Minute

// auditFile is a file with one JSON line for each event. Lines are written at
// once. The methods of a nil file do nothing.
type auditFile struct {
	log *slog.Logger

	mu     sync.Mutex
	file   *os.File
	lost   int       // events since the last line of the log
	logged time.Time // the last line
}

// auditLine is one event. It contains ids of tokens and never their texts.
type auditLine struct {
	Time       string `json:"time"` // RFC 3339
	ID         string `json:"id"`
	Event      string `json:"event"`
	Outcome    string `json:"outcome"` // success or failure
	Reason     string `json:"reason,omitempty"`
	Actor      string `json:"actor,omitempty"`
	Method     string `json:"method,omitempty"`
	ActorToken string `json:"actor_token,omitempty"`
	Client     string `json:"client,omitempty"` // address
	Request    string `json:"request,omitempty"`
	Subject    string `json:"subject,omitempty"`
	User       string `json:"user,omitempty"`
	Token      string `json:"token,omitempty"`
	Right      string `json:"right,omitempty"`
	Operator   string `json:"operator,omitempty"` // of a command
}

// openAudit opens the file for appending. It returns nil for "".
func openAudit(path string, log *slog.Logger) (*auditFile, error) {
	if path == "" {
		return nil, nil
	}
	f, err := openForAudit(path)
	if err != nil {
		return nil, err
	}
	return &auditFile{log: log, file: f}, nil
}

func openForAudit(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--audit: %w", err)
	}
	return f, nil
}

// replace makes the next events go to another file.
func (a *auditFile) replace(f *os.File) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reportLost(a.file.Close())
	a.file = f
}

// Close closes the file.
func (a *auditFile) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.file.Close()
}

// write appends an event. The operator is that of a command, "" for the service.
func (a *auditFile) write(e macaroon.Event, operator string) {
	if a == nil {
		return
	}
	line := auditLine{
		Time: e.Time.UTC().Format(time.RFC3339Nano), ID: e.ID, Event: e.Kind.String(), Outcome: "success",
		Actor: subjectText(e.Actor.Subject), Method: string(e.Actor.Method), ActorToken: clipped(e.Actor.TokenID),
		Request: e.Actor.RequestID,
		Subject: subjectText(e.Subject), User: e.Username, Token: clipped(e.TokenID), Right: e.Right, Operator: operator,
	}
	if e.Actor.Address.IsValid() {
		line.Client = e.Actor.Address.String()
	}
	if e.Err != nil {
		line.Outcome, line.Reason = "failure", "operational error"
		if reason, ok := errors.AsType[*errors.Error](e.Err); ok {
			line.Reason = string(reason.ID)
		}
	}
	text, _ := json.Marshal(line) // texts always have a JSON form
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := io.WriteString(a.file, printable.Escape(string(text))+"\n")
	a.reportLost(err)
}

// reportLost counts and logs events that could not be written.
func (a *auditFile) reportLost(err error) {
	if err == nil {
		return
	}
	a.lost++
	if now := time.Now(); now.Sub(a.logged) >= auditFailuresLogged {
		a.log.Error("events are missing in the audit file", "events", a.lost, "error", err)
		a.lost, a.logged = 0, now
	}
}
