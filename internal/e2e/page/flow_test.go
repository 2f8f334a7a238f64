//go:build e2e

package page_test

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// try runs a command line of the page, as a user does who pastes it.
func try(t *testing.T, line string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", strings.Replace(line, "curl ", "curl -sS -m 10 ", 1)).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// The life of a token, at the service: it is created from a template, tried with
// curl, revoked, restored and deleted.
func TestLifeOfAToken(t *testing.T) {
	t.Parallel()
	installed(t, "curl", "curl")
	url := serve(t)
	b := newTab(t, url+"/", desktop)
	b.logIn(username, password)
	b.sees("You have no tokens yet.")

	b.click("a", "Create your first token")
	b.sees("From scratch")
	b.goTo("create/onezone-rest")
	b.enter("Name", "-no name")
	b.sees("is not a name")
	b.enter("Name", "Nightly backup")
	b.lacks("is not a name")
	b.sees("only at Onezone, and only by the interface rest")
	b.click("button", "Create")
	b.sees("Its text is shown only now.")
	b.accessible()
	b.shoot("given")
	text, line := b.value("Text of the token"), b.value("Try it")
	require.Contains(t, line, text)
	require.Contains(t, try(t, line), `"username":"alice"`)

	b.click("a", "I have stored it: show the token")
	b.sees("Nightly backup")
	id := strings.TrimPrefix(evaluate[string](b, `location.hash`), "#tokens/")
	require.NotContains(t, evaluate[string](b, `document.documentElement.outerHTML`), text, "the text is shown once")
	b.click("button", "Revoke")
	b.sees("Restore")
	require.Contains(t, try(t, line), `"tokenRevoked"`)
	b.click("button", "Restore")
	b.sees("The token works again.")
	require.Contains(t, try(t, line), `"username":"alice"`)

	// Its last use is written within a second, by another process.
	for deadline := time.Now().Add(patience); !strings.Contains(evaluate[string](b, `document.querySelector('main').innerText`), "by rest"); {
		require.False(t, time.Now().After(deadline), "no last use is shown")
		b.goTo("account")
		b.sees("User name")
		b.goTo("tokens/" + id)
		b.sees("When it works")
	}
	b.sees("from 127.0.0.0")
	b.shoot("used")

	b.set("Add a caveat", "ip")
	b.click("button", "Add")
	b.enter("Addresses", "192.0.2.0/24")
	b.click("button", "Tighten")
	b.sees("Added by you after it was issued")
	b.sees("It works only from 192.0.2.0/24.")
	b.accessible()
	b.shoot("tightened")
	refused := try(t, line)
	require.Contains(t, refused, `"tokenCaveatUnverified"`)
	require.Contains(t, refused, "added by the owner")
	b.click("button", "Remove")
	b.sees("The caveat was removed.")
	require.Contains(t, try(t, line), `"username":"alice"`)

	b.click("button", "Rename")
	b.enter("New name", "Weekly backup")
	b.click("button", "Save the name")
	b.sees("Weekly backup")

	b.click("button", "Delete…")
	b.sees("Delete this token?")
	b.accessible()
	b.click("dialog//button", "Delete")
	b.sees("You have no tokens yet.")
	require.Contains(t, try(t, line), `"tokenInvalid"`)
}

// The tokens that were created with a token are its family, which is revoked at
// once, or goes with it.
func TestFamily(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	parent := z.issue(t, "parent")
	auth, err := z.VerifyAccess(t.Context(), parent.String(), caveat.Request{})
	require.NoError(t, err)
	for _, name := range []string{"first child", "second child"} {
		_, err = z.IssueNamed(t.Context(), name, macaroon.Grant{Subject: z.alice, Type: macaroon.AccessToken(), Parent: &auth})
		require.NoError(t, err)
	}
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	b.sees("3 of 3 tokens")
	b.click("a", "first child")
	b.sees("Tokens that were created with other tokens.")
	require.Equal(t, []string{"parent", "first child", "second child"}, evaluate[[]string](b, `[...document.querySelectorAll('.tree bdi')].map((e) => e.textContent)`))
	b.accessible()
	b.shoot("family")
	b.do(chromedp.Click(chromedp.CSS(".tree a"), chromedp.NodeVisible))
	b.waitFor(`document.querySelector('h1').textContent === 'parent'`)
	b.click("button", "Revoke it with all it created…")
	b.sees("Revoke the whole family?")
	b.click("dialog//button", "Revoke")
	b.sees("The family is revoked.")
	b.waitFor(`document.querySelectorAll('.tree .badge.revoked').length === 3`)
	b.click("button", "Delete…")
	b.set("Tokens that were created with it", "delete")
	b.click("dialog//button", "Delete")
	b.sees("You have no tokens yet.")
}

// Bait is refused as if it were revoked.
func TestBait(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	token := z.issue(t, "backup key")
	b := newTab(t, z.url+"#tokens/"+token.ID(), desktop)
	b.logIn(username, password)
	b.sees("Use it as bait")
	evaluate[any](b, `document.querySelectorAll('details').forEach((d) => { d.open = true; })`)
	b.set("Is every use an alarm?", "alarm")
	b.click("button", "Save")
	b.sees("every use is reported and refused")
	_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenRevoked)
}

// Any token can be pasted, examined, verified and confined.
func TestExamineAndConfine(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	token := z.issue(t, "laptop")
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	b.goTo("examine")
	b.set("Text of a token", token.String())
	b.sees("No caveats: it works everywhere and for everything.")
	b.click("button", "Does it work now?")
	b.sees("Yes. It acts for user " + z.alice.ID + " and has no end.")
	b.accessible()
	b.set("Add a caveat", "ip")
	b.click("button", "Add")
	b.enter("Addresses", "300.1.2.3")
	b.sees("300.1.2.3: write an IPv4 address or block")
	b.click("button", "Make a narrower copy")
	b.sees("Please correct the marked caveats first.")
	b.enter("Addresses", "192.0.2.0/24")
	b.click("button", "Make a narrower copy")
	b.sees("What changed")
	b.sees("The copy has 1 caveat, the token has 0.")
	b.sees("new: only from 192.0.2.0/24")
	b.shoot("confined")
	copied := b.value("Text of the token")
	want, err := token.ConfineText("ip = 192.0.2.0/24")
	require.NoError(t, err)
	require.Equal(t, want.String(), copied)
	b.set("Text of a token", copied)
	b.lacks("What changed") // the view of the first token is gone
	b.sees("It works only from 192.0.2.0/24.")
	evaluate[any](b, `document.querySelector('details').open = true`)
	b.click("button", "Explain")
	b.sees("The token is refused.")
	b.sees("the client's address is 127.0.0.1, at all times.")
	b.sees("the client's address must be in one of the networks \"192.0.2.0/24\"")
	b.accessible()
	b.expect("status of 400")
	b.click("button", "Does it work now?")
	b.sees("No. ")
}

// A request is explained, and requests are recorded and narrowed to.
func TestTryBeforeHandingOut(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	token := z.issue(t, "laptop", caveat.MustParse("ip = 192.0.2.0/24"))
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	b.goTo("examine")
	b.set("Text of a token", token.String())
	b.sees("Try it before you hand it out")
	evaluate[any](b, `document.querySelector('details').open = true`)
	b.enter("From the address", "198.51.100.7")
	b.click("button", "Explain")
	b.sees("The token is refused.")
	b.sees("only from 192.0.2.0/24: does not hold. Reason: the client's address is ")
	b.enter("From the address", "192.0.2.7")
	b.set("By the interface", "rest")
	b.click("button", "Explain")
	b.sees("The token is accepted for this request.")
	b.click("button", "Record this request")
	b.accessible()
	b.click("button", "Propose caveats for the recorded requests")
	b.sees("Proposed for Confine below")
	require.Equal(t, "rest", b.value("Interface"))
	require.Contains(t, b.value("Addresses"), "192.0.2.7")
	b.shoot("narrowed")
	b.click("button", "Make a narrower copy")
	b.sees("What changed")
	copied, err := macaroon.Parse(b.value("Text of the token"))
	require.NoError(t, err)
	require.Contains(t, copied.Caveats(), "interface = rest")
}

// Many tokens are revoked and deleted at once.
func TestBulkAndCleanUp(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	z.furnish(t)
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	b.enter("Search", "laptop")
	b.sees("1 of 6 tokens")
	evaluate[any](b, `document.querySelector('td.check input').click()`)
	b.sees("1 selected")
	b.accessible()
	b.click("button", "Revoke")
	b.sees("Revoke 1 token?")
	b.click("dialog//button", "Revoke")
	b.waitFor(`[...document.querySelectorAll('.chip')].some((chip) => chip.textContent.trim() === 'revoked 2')`)
	b.enter("Search", " ")
	b.sees("6 of 6 tokens")
	b.click("button", "Clean up…")
	b.sees("1 token would be deleted, for ever:")
	b.accessible()
	b.shoot("dialog")
	b.click("dialog//button", "Delete")
	b.sees("5 of 5 tokens")
	b.lacks("Old notebook")
}

// One confined copy is revoked, and the token still works.
func TestRevokeACopy(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	token := z.issue(t, "laptop")
	copied, err := token.Confine(caveat.MustParse("ip = 0.0.0.0/0"))
	require.NoError(t, err)
	b := newTab(t, z.url+"#tokens/"+token.ID(), desktop)
	b.logIn(username, password)
	b.sees("Revoke one confined copy")
	evaluate[any](b, `document.querySelector('details').open = true`)
	b.set("Text of the copy", copied.String())
	b.click("button", "Revoke this copy")
	b.sees("The copy is revoked.")
	_, err = z.VerifyAccess(t.Context(), copied.String(), caveat.Request{IP: netip.MustParseAddr("192.0.2.7")})
	require.ErrorIs(t, err, errors.IDTokenRevoked)
	_, err = z.VerifyAccess(t.Context(), token.String(), caveat.Request{})
	require.NoError(t, err)
}

// Revoking all temporary tokens ends the log-in, too.
func TestRevokeAllTemporary(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	logIn, err := z.IssueLogIn(t.Context(), z.alice, z.Now())
	require.NoError(t, err)
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	b.goTo("account")
	b.click("button", "Revoke all temporary tokens…")
	b.sees("Revoke all temporary tokens?")
	b.click("dialog//button", "Revoke")
	b.sees("All temporary tokens are revoked")
	_, err = z.VerifyAccess(t.Context(), logIn.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenRevoked)
}

// A log-in that is being continued when the user logs out has ended.
func TestLogOutEndsALogInThatIsBeingContinued(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	evaluate[any](b, `{
		const send = window.fetch, now = Date.now;
		window.held = [];
		window.fetch = (url, options) => String(url).endsWith('page/log_in')
			? new Promise((done) => window.held.push(() => done(send(url, options)))) : send(url, options);
		Date.now = () => now() + 5 * 60_000;
		window.dispatchEvent(new Event('keydown'));
		document.dispatchEvent(new Event('visibilitychange'));
	}`)
	b.waitFor(`window.held.length === 1`)
	b.click("button", "Log out")
	b.sees("You are logged out.")
	b.expect("401")
	status := evaluate[int](b, `(async () => {
		const { currentUser } = await import(new URL('page/api.js', document.baseURI).href);
		window.held[0]();
		for (let i = 0; i < 50; i++) {
			await new Promise((done) => setTimeout(done, 20));
			const status = await currentUser().then(() => 200, (error) => error.status);
			if (status !== 401) return status;
		}
		return 401;
	})()`)
	require.Equal(t, 401, status, "the page has the credential of a user who logged out")
}

// A thief who creates tokens with tokens, thousands deep, does not keep the page
// from showing them.
func TestDeepFamily(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	top := z.issue(t, "top")
	token := top
	for i := range 5000 {
		auth, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{})
		require.NoError(t, err)
		token, err = z.IssueNamed(t.Context(), fmt.Sprintf("child %d", i), macaroon.Grant{Subject: z.alice, Type: macaroon.AccessToken(), Parent: &auth})
		require.NoError(t, err)
	}
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	b.sees("5,001 of 5,001 tokens")
	b.goTo("tokens/" + token.ID())
	b.sees("Tokens that were created with other tokens.")
	b.sees("The family begins further up.")
	b.goTo("create")
	b.sees("From scratch")
	b.goTo("tokens/" + top.ID())
	b.sees("and more")
	b.click("button", "Revoke it with all it created…")
	b.click("dialog//button", "Revoke")
	b.sees("The family is revoked.")
	n, err := z.Get(t.Context(), token.ID())
	require.NoError(t, err)
	require.True(t, n.Revoked)
}

// A token that was tightened elsewhere, after the page showed it, stays tightened.
func TestTighteningKeepsWhatWasAddedElsewhere(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	token := z.issue(t, "laptop")
	added := func() (texts []string) {
		n, err := z.Get(t.Context(), token.ID())
		require.NoError(t, err)
		for _, a := range n.Tightened {
			texts = append(texts, a.Text)
		}
		return texts
	}
	require.NoError(t, z.Tighten(t.Context(), token.ID(), caveat.MustParse("asn = 5")))
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	b.goTo("tokens/" + token.ID())
	b.sees("Added by you after it was issued")
	require.NoError(t, z.Tighten(t.Context(), token.ID(), caveat.REST))
	b.set("Add a caveat", "ip")
	b.click("button", "Add")
	b.enter("Addresses", "192.0.2.0/24")
	b.click("button", "Tighten")
	b.sees("The token is tightened.")
	require.Equal(t, []string{"asn = 5", "interface = rest", "ip = 192.0.2.0/24"}, added())
	require.NoError(t, z.Tighten(t.Context(), token.ID(), caveat.MustParse("asn = 6")))
	b.do(chromedp.Click(chromedp.CSS(`[aria-label="Remove the added caveat 1"]`), chromedp.NodeVisible))
	b.sees("The caveat was removed.")
	require.Equal(t, []string{"interface = rest", "ip = 192.0.2.0/24", "asn = 6"}, added())
}
