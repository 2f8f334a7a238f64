//go:build e2e

package page_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// The page works below a path that a proxy removes.
func TestPathPrefix(t *testing.T) {
	t.Parallel()
	z := newZone(t, "/some/where")
	z.issue(t, "Laptop")
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	b.sees("1 of 1 tokens")
	b.click("a", "Laptop")
	b.sees("When it works")
	b.click("button", "Revoke")
	b.sees("revoked")
}

// Everything can be done with the keyboard, and the focus follows the view.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	z.issue(t, "Laptop")
	b := newTab(t, z.url, desktop)
	focus := func() string {
		return evaluate[string](b, `document.activeElement.id === 'main' ? 'main' : (document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent)`)
	}
	key := func(keys ...string) {
		for _, k := range keys {
			b.do(chromedp.KeyEvent(k))
		}
	}
	b.waitFor(`document.activeElement.type === 'text'`)
	key(username, kb.Tab, password, kb.Enter)
	b.sees("1 of 1 tokens")
	b.waitFor(`document.activeElement.tagName === 'H1'`)
	require.Equal(t, "Tokens", focus())

	b.waitFor(`document.querySelector('td a') !== null`)
	for range 30 {
		if key(kb.Tab); focus() == "Laptop" {
			break
		}
	}
	key(kb.Enter)
	b.sees("When it works")
	b.waitFor(`document.activeElement.tagName === 'H1'`)
	require.Equal(t, "Laptop", focus())

	for range 30 {
		if key(kb.Tab); focus() == "Delete…" {
			break
		}
	}
	key(kb.Enter)
	b.sees("Delete this token?")
	require.Equal(t, "Cancel", focus(), "a dialog begins with what does no harm")
	key(kb.Tab)
	require.Equal(t, "Delete", focus())
	key(kb.Escape)
	b.lacks("Delete this token?")
	b.waitFor(`document.activeElement.textContent === 'Delete…'`)
	key(kb.Enter, kb.Tab, kb.Enter)
	b.sees("You have no tokens yet.")
}

// The log-in ends after ten minutes without a key or click, and a forged log-in
// in the address is not used.
func TestLogInEnds(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	logIn, err := z.IssueLogIn(t.Context(), z.alice, z.Now())
	require.NoError(t, err)
	b := newTab(t, z.url+"#log-in="+logIn.String()+"&nonce=of-another", desktop)
	b.sees("was not begun in this tab")
	require.Empty(t, evaluate[string](b, `location.hash`), "the token stays in the address")
	b.logIn(username, password)
	b.sees("You have no tokens yet.")
	require.Zero(t, evaluate[int](b, `localStorage.length + sessionStorage.length + document.cookie.length`))
	// Ten minutes pass for the clock of the page.
	evaluate[any](b, `{ const now = Date.now; Date.now = () => now() + 601e3; document.dispatchEvent(new Event('visibilitychange')); }`)
	b.sees("You were logged out after ten minutes without activity.")
	b.expect("status of 401")
	b.enter("User name", username)
	b.enter("Password", "wrong")
	b.click("button", "Log in")
	b.waitFor(`document.querySelector('[role=alert]') !== null`)
}
