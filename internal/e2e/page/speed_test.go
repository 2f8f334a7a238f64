//go:build e2e

package page_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
)

// A filter of 10,000 tokens and a scroll through them cost under 50 ms of script.
func TestTenThousandTokens(t *testing.T) {
	t.Parallel()
	const tokens, limit = 10_000, 50.0
	z := newZone(t, "")
	for i := range tokens {
		z.issue(t, fmt.Sprintf("Token %d of many", i), caveat.Until(z.Now().Add(time.Duration(i-2000)*time.Hour)))
	}
	b := newTab(t, z.url, desktop)
	b.logIn(username, password)
	b.sees("10,000 of 10,000 tokens")
	require.Less(t, evaluate[int](b, `document.querySelectorAll('tr').length`), 100, "all rows are in the document")

	// Processor time of the page's thread, in milliseconds for one step.
	_, err := chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	require.NoError(t, err)
	scriptTime := func() float64 {
		answer, err := chromedp.Call(b.ctx, performance.GetMetrics, cdp.Empty{})
		require.NoError(t, err)
		for _, m := range answer.Metrics {
			if m.Name == "ScriptDuration" {
				return 1000 * m.Value
			}
		}
		t.Fatal("Chromium has no such metric")
		return 0
	}
	measure := func(script string) float64 {
		const steps = 20
		before := scriptTime()
		evaluate[any](b, fmt.Sprintf(`(async () => {
			for (let i = 0; i < %d; i += 1) {
				await new Promise((done) => setTimeout(done));
				%s
			}
		})()`, steps, script))
		return (scriptTime() - before) / steps
	}
	filter := measure(`const search = document.querySelector('input[type=search]');
		search.value = ['7', '77', 'many', 'token 9', ''][i % 5];
		search.dispatchEvent(new Event('input'));`)
	scroll := measure(`const view = document.querySelector('.window');
		view.scrollTop = ((i % 5) * 140009) % view.scrollHeight;
		view.dispatchEvent(new Event('scroll'));`)
	t.Logf("filter %.1f ms, scroll %.1f ms", filter, scroll)
	for _, cost := range []float64{filter, scroll} {
		require.Less(t, cost, limit)
		require.Greater(t, cost, 0.1, "nothing was measured")
	}

	b.set("Order", "name")
	b.sees("Token 0 of many")
	evaluate[any](b, `{
		const view = document.querySelector('.window');
		view.scrollTop = 1e9;
		view.dispatchEvent(new Event('scroll')); // also in a tab in the background
	}`)
	b.sees("Token 9999 of many")
	b.click("button", "expired 2,001")
	b.sees("2,001 of 10,000 tokens")
}
