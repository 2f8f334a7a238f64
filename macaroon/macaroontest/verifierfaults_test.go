package macaroontest_test

import (
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/onezone-go/onezone/internal/testing/faulty"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/store"
)

// faultEnv names the fault that TestFaultyVerifier runs the suite against.
const faultEnv = "MACAROONTEST_FAULT"

var (
	address = netip.MustParseAddr("10.1.2.3")
	secret  = store.NewSecret("any secret")
)

const (
	namedToken   = "Access/a named token proves its subject"
	forgedToken  = "Access/a wrong signature is refused"
	revocation   = "Changes/a revocation is noticed and undone"
	onezoneDown  = "Outages/an Onezone that is down says nothing about a token"
	onezoneFault = "Outages/a fault says nothing about a token"
	oneSession   = "Sessions/a token of a session is for clients in the session"
)

// verifierFaults are the faults of a wrong verifier, each with the checks that
// must detect it.
var verifierFaults = map[string][]string{
	// Verdicts.
	"accepts everything":                   {forgedToken, "Access/an expired token is refused", "Identity/invitations and tokens of sessions prove no identity", "Invite/a token of another class is no invitation"},
	"accepts revoked tokens":               {"Access/a revoked token is refused", revocation, "Invite/bad invitations are refused"},
	"accepts forged tokens":                {forgedToken, "Access/a token that the Onezone does not know is refused", "Changes/new secrets of the Onezone are noticed", "Caveats/a changed caveat is refused"},
	"skips unknown caveats":                {"Caveats/an unknown caveat is refused"},
	"ignores blocking":                     {"Changes/blocking a user is noticed and undone"},
	"ignores the session":                  {oneSession, "Sessions/a client in a session may use only tokens of the session"},
	"ignores the address":                  {"Caveats/an address caveat admits its networks alone", "Caveats/a request that knows nothing satisfies nothing", "Identity/caveats of an identity token limit it"},
	"allows data access":                   {"Caveats/data caveats need a request that enforces them"},
	"takes any invitation":                 {"Invite/an invitation of another type is refused"},
	"trims texts":                          {"Access/malformed texts are refused"},
	"uses the wall clock":                  {"Access/a temporary token proves its subject and expiry", "Access/a token expires by the clock of the Onezone"},
	"takes no interface for REST":          {"Caveats/a request that knows nothing satisfies nothing"},
	"takes access tokens for identities":   {"Identity/an access token proves the identity of a oneprovider alone"},
	"lets every subject use every service": {"Parties/only users of a service may use tokens with it"},

	"takes identities for access":      {"Identity/an identity token proves its subject"},
	"checks the session of identities": {"Identity/the session and the service of the request do not matter"},
	"needs an invite type":             {"Invite/an invitation is accepted as any and as its own type"},
	"gives panels no sessions":         {"Sessions/a panel of a oneprovider may use every session"},

	// Parties.
	"verifies parties last":       {"Parties/bad tokens of parties are reported before a bad token"},
	"ignores the consumer token":  {"Caveats/a consumer caveat admits its consumers alone", "Parties/a bad consumer token is refused", "Parties/a consumer token is verified for every class"},
	"ignores the service token":   {"Parties/a service token replaces the service of the request", "Parties/a bad service token is refused"},
	"believes the consumer token": {"Parties/a bad consumer token is refused"},
	"believes the service token":  {"Parties/a bad service token is refused", "Parties/only a oneprovider is a service"},

	// Results.
	"forgets caveats":                    {namedToken, "Caveats/api caveats limit what the token authorizes", "Vectors/authorize", "Vectors/scope", "Vectors/offline"},
	"forgets caveats of known tokens":    {"Access/repeated verifications give the same result"},
	"forgets the address":                {namedToken},
	"forgets the session":                {oneSession},
	"forgets the service":                {"Access/a token of a oneprovider proves it and the indicated service"},
	"takes the subject of the text":      {"Access/a version 1 token proves the subject of its record"},
	"proves something when it refuses":   {"Access/a revoked token is refused"},
	"refuses with an operational error":  {forgedToken},
	"refuses with unauthorized":          {forgedToken},
	"shows tokens in errors":             {forgedToken},
	"loses details":                      {"Vectors/verify", "Access/tokens of another class are no access tokens", "Parties/a bad service token is refused"},
	"reports every bad token as invalid": {"Access/a revoked token is refused", "Access/malformed texts are refused"},
	"reports large texts as bad tokens":  {"Access/a text that is too large is refused"},
	"reports the last caveat":            {"Caveats/the first caveat that does not hold is reported"},

	// Answers that are used again.
	"remembers without the address":         {"Caveats/an address caveat admits its networks alone", "Caveats/geo caveats are decided"},
	"remembers without the interface":       {"Caveats/an interface caveat admits its interface alone"},
	"remembers without the consumer":        {"Caveats/a consumer caveat admits its consumers alone", "Caveats/groups of a consumer caveat are those of the Onezone"},
	"remembers without the service":         {"Caveats/a service caveat admits its services alone"},
	"remembers without the session":         {oneSession},
	"remembers without the data access":     {"Caveats/data caveats need a request that enforces them"},
	"remembers without the class":           {"Identity/the same text is verified for one class at a time"},
	"remembers without the invite type":     {"Invite/an invitation of another type is refused"},
	"remembers by the id":                   {"Caveats/a confined copy has its own limits"},
	"remembers good answers for ever":       {revocation, "Changes/a deletion is noticed", "Sessions/the end of a session is noticed", "Changes/the deletion of the subject is noticed", "Changes/the revocation of a confined copy is noticed", "Changes/the revocation of all temporary tokens is noticed"},
	"remembers refusals for ever":           {revocation, "Changes/blocking a user is noticed and undone"},
	"remembers good answers past their end": {"Access/a token expires by the clock of the Onezone"},

	// Outages and callers.
	"takes an outage for a bad token":        {onezoneDown},
	"takes an outage for a good token":       {onezoneDown, "Outages/an answer is not remembered for ever in an outage"},
	"takes every answer for a good token":    {onezoneFault, "Outages/a ttl of a billion years does not outlive the token"},
	"takes every 4xx for a bad token":        {onezoneFault},
	"ignores the deadline of its caller":     {"Outages/an Onezone that hangs says nothing about a token"},
	"never recovers":                         {"Outages/a token is verified again after an outage"},
	"uses no context":                        {"Requests/a canceled context ends a verification"},
	"takes a canceled context for a refusal": {"Requests/a canceled context ends a verification"},
	"changes the request":                    {"Requests/the request of the caller is not changed"},
	"confuses callers":                       {"Access/concurrent verifications are not confused"},
}

// A wrong verifier without a fault conforms.
func TestConformanceOfWrongVerifierWithoutFault(t *testing.T) {
	t.Parallel()
	macaroontest.TestVerifier(t, func(_ *testing.T, onezone *macaroontest.Remote) macaroon.Verifier { return newWrong("", onezone) })
}

// TestFaultyVerifier is run by TestVerifierFaultsAreCaught in separate
// processes, where it must fail.
func TestFaultyVerifier(t *testing.T) {
	fault := os.Getenv(faultEnv)
	if fault == "" {
		t.Skip("this test fails intentionally; TestVerifierFaultsAreCaught runs it")
	}
	macaroontest.ShortenOutages()
	macaroontest.TestVerifier(t, func(_ *testing.T, onezone *macaroontest.Remote) macaroon.Verifier { return newWrong(fault, onezone) })
}

func TestVerifierFaultsAreCaught(t *testing.T) {
	t.Parallel()
	for fault, checks := range verifierFaults {
		for _, check := range checks {
			t.Run(fault+" fails "+check, func(t *testing.T) {
				t.Parallel()
				faulty.Suite{Test: "TestFaultyVerifier", Env: faultEnv}.RequireCaught(t, fault, check, 16*time.Second)
			})
		}
	}
}

// Every check of the suite notices a fault.
func TestEveryCheckOfVerifiersCatchesAFault(t *testing.T) {
	t.Parallel()
	caught := make(map[string]bool)
	for _, checks := range verifierFaults {
		for _, check := range checks {
			caught[check] = true
		}
	}
	for _, check := range macaroontest.VerifierChecks() {
		if !caught[check] {
			t.Errorf("no wrong verifier fails %q", check)
		}
		delete(caught, check)
	}
	for check := range caught {
		t.Errorf("the suite has no check %q", check)
	}
}
