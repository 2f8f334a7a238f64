//go:build e2e

package page_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// Texts that are shown as they are, and do nothing.
var (
	markup   = `<img src=x onerror="hacked=1"><script>hacked=1</script>`
	reversed = "pay\u202egnp.exe\u2066\u200b"
	long     = strings.Repeat("longtext", 1250) // 10,000 characters
)

// harmless asserts that no text has become an element or has run, and that none
// changes the direction of others.
func (b *tab) harmless() {
	b.Helper()
	require.Equal(b, "undefined", evaluate[string](b, `typeof hacked`))
	require.Zero(b, evaluate[int](b, `document.querySelectorAll('img, iframe, script:not([src]), main script').length`))
	require.False(b, evaluate[bool](b, `/[\u200b\u202a-\u202e\u2066-\u2069]/.test(document.body.textContent)`))
	require.False(b, evaluate[bool](b, `document.documentElement.scrollWidth > innerWidth`), "the page is wider than the window")
}

// hostile stores a token as no Onezone would name it.
func (z *zone) hostile(t *testing.T, id, name string, caveats ...string) {
	t.Helper()
	_, err := z.records.CreateToken(t.Context(), store.Token{
		ID: id, Name: name, Version: 2, Subject: z.alice, Type: macaroon.AccessToken().String(), Caveats: caveats,
		Secret: store.NewSecret("of " + id), Created: z.Now().Unix(), Custom: []byte(`{"note":"` + strings.ReplaceAll(markup, `"`, `\"`) + `"}`),
	}, 0)
	require.NoError(t, err)
}

func TestForeignTextsAreShownAsText(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]look{"1440": desktop, "390": {390, 844, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := newZone(t, "")
			z.hostile(t, "t1", markup, "custom = "+markup, "custom = "+reversed, "custom = "+long)
			z.hostile(t, "t2", reversed)
			z.hostile(t, "t3", long[:1000])
			b := newTab(t, z.url, l)
			b.logIn(username, password)
			b.sees(markup)
			b.sees(`pay\u{202e}gnp.exe\u{2066}\u{200b}`)
			b.harmless()
			b.shoot("list")

			b.goTo("tokens/t1")
			b.sees("custom = " + markup)
			b.sees(`custom = pay\u{202e}gnp.exe`)
			b.sees(`"note":"<img src=x`)
			b.click("button", "Show all 10,065 characters")
			b.sees(long)
			b.harmless()
			b.shoot("token")

			b.goTo("examine")
			token, err := macaroon.Mint(macaroon.Spec{Domain: "<b>zone</b>", ID: "<script>", Subject: z.alice, Type: macaroon.AccessToken()}, store.NewSecret("guess"))
			require.NoError(t, err)
			token, err = token.ConfineUnchecked("custom = "+markup, "custom = "+reversed, "custom = "+long)
			require.NoError(t, err)
			b.set("Text of a token", token.String())
			b.sees("<b>zone</b>")
			b.sees("custom = " + markup)
			b.harmless()
			b.expect("status of 400")
			b.click("button", "Does it work now?")
			b.sees("No. ")
			b.set("Text of a token", markup)
			b.sees("token")
			b.harmless()
		})
	}
}
