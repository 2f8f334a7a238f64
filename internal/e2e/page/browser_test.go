//go:build e2e

package page_test

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	// Drives Chromium.
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// patience is the longest wait for something on the page.
const patience = time.Minute

// installed returns the path of a program. Without it, the test is skipped, and
// fails in CI.
func installed(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		text := fmt.Sprintf("%s is missing: install the Debian package %s", name, debian)
		if os.Getenv("CI") != "" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	return path
}

// chromium returns the context of one browser, which all tests share.
var chromium = sync.OnceValue(func() context.Context {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.Flag("lang", "en-GB"), chromedp.Env("TZ=Europe/Warsaw"))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which root cannot have
	}
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		panic(err)
	}
	return ctx
})

func TestMain(m *testing.M) {
	code := m.Run()
	if browserStarted.Load() {
		_ = chromedp.Cancel(chromium())
	}
	cleanUp()
	os.Exit(code)
}

// look is how a tab shows the page.
type look struct {
	width, height int64
	dark          bool
}

var (
	desktop = look{1440, 900, false}
	looks   = map[string]look{
		"1440-light": desktop, "1440-dark": {1440, 900, true}, "390-light": {390, 844, false}, "390-dark": {390, 844, true},
	}
)

// tab is a tab of the browser with storage of its own.
type tab struct {
	testing.TB
	ctx    context.Context
	origin string

	mu     sync.Mutex
	faults []string // console errors, exceptions and requests to other origins
	allow  []string // parts of console errors that the test causes
}

// newTab opens a URL. When the test ends, it checks that the page has reported no
// error and requested nothing from another origin.
func newTab(t testing.TB, address string, l look) *tab {
	t.Helper()
	if testing.Short() && t.Name() != "TestLifeOfAToken" {
		t.Skip("the life of a token uses the same handlers")
	}
	browserStarted.Store(true)
	ctx, cancel := chromedp.NewContext(chromium(), chromedp.WithNewBrowserContext())
	u, err := url.Parse(address)
	require.NoError(t, err)
	tb := &tab{TB: t, ctx: ctx, origin: u.Scheme + "://" + u.Host}
	require.NoError(t, chromedp.Do(ctx))
	require.NoError(t, chromedp.Listen(ctx, tb.watch))
	t.Cleanup(func() {
		tb.mu.Lock()
		defer tb.mu.Unlock()
		cancel()
		require.Empty(t, tb.faults)
	})
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 600,
	})
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(t, err)
	// Several tabs are open, and only one of them would have the focus.
	_, err = chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	require.NoError(t, err)
	tb.do(chromedp.Navigate(address))
	return tb
}

// watch notes what must not happen.
func (b *tab) watch(event any) {
	fault := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		fault = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			fault += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if kind := string(e.Type); kind == "error" || kind == "warning" {
			fault = fmt.Sprintf("console: %s", e.Args[0].Value)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			fault = fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if to := e.Request.URL; !strings.HasPrefix(to, b.origin+"/") && !strings.HasPrefix(to, "blob:"+b.origin+"/") &&
			!strings.HasPrefix(to, "data:") { // an icon of Chromium in the field of a date
			fault = "request: " + to
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, part := range b.allow {
		if strings.Contains(fault, part) {
			return
		}
	}
	if fault != "" {
		b.faults = append(b.faults, fault)
	}
}

// expect tells that the browser may log an error with that text: Chromium logs
// every response with a status of 400 or more.
func (b *tab) expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allow = append(b.allow, part)
}

// do runs actions.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	b.check(chromedp.Do(ctx, actions...))
}

// check fails the test with what the page shows.
func (b *tab) check(err error) {
	b.Helper()
	if err != nil {
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		b.shoot("failure")
		require.NoError(b, err, "the page shows: %.2000s", text)
	}
}

// click clicks the visible element with that tag and text.
func (b *tab) click(tag, text string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.Search(fmt.Sprintf(`//%s[normalize-space(.)=%q and not(ancestor-or-self::*[@hidden])]`, tag, text)), chromedp.NodeVisible))
}

// field returns the field with that label.
func field(label string) chromedp.Search {
	return chromedp.Search(fmt.Sprintf(`//*[@id=//label[normalize-space(.)=%q and not(ancestor::*[@hidden])]/@for]`, label))
}

// enter replaces the value of the field with that label, with keys.
func (b *tab) enter(label, value string) {
	b.Helper()
	b.set(label, "")
	b.do(chromedp.SendKeys(field(label), value))
}

// set sets the value of the field or select with that label, at once.
func (b *tab) set(label, value string) {
	b.Helper()
	b.do(chromedp.WaitVisible(field(label)))
	evaluate[any](b, fmt.Sprintf(`{
		const field = document.evaluate(%q, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue;
		field.value = %q;
		for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, {bubbles: true}));
	}`, string(field(label)), value))
}

// value returns the value of the field with that label.
func (b *tab) value(label string) string {
	b.Helper()
	b.do(chromedp.WaitVisible(field(label)))
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Value(field(label)))
	b.check(err)
	return text
}

// evaluate returns the value of a JavaScript expression, or that of a promise.
func evaluate[T any](b *tab, script string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	b.check(err)
	return value
}

// waitFor waits until a JavaScript expression is true, also if the page navigates
// in the meantime.
func (b *tab) waitFor(condition string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool](condition))
		if err == nil && holds {
			return
		}
		select {
		case <-ctx.Done():
			b.check(fmt.Errorf("waiting until %s: %w", condition, cmp.Or(err, ctx.Err())))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// sees and lacks wait until the visible text of the page contains a text, or does
// not.
func (b *tab) sees(text string) {
	b.Helper()
	b.waitFor(fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

func (b *tab) lacks(text string) {
	b.Helper()
	b.waitFor(fmt.Sprintf(`!document.body.innerText.includes(%q)`, text))
}

// logIn logs a user in with a password.
func (b *tab) logIn(username, password string) {
	b.Helper()
	b.enter("User name", username)
	b.enter("Password", password)
	b.click("button", "Log in")
	b.do(chromedp.WaitVisible(chromedp.CSS("header nav")))
}

// goTo opens a view by its path.
func (b *tab) goTo(path string) {
	b.Helper()
	evaluate[any](b, fmt.Sprintf(`location.hash = %q`, path))
}

// shoot writes a picture of the whole view, if the tester asks for pictures.
func (b *tab) shoot(name string) {
	b.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	shot, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
	require.NoError(b, err)
	name = strings.ReplaceAll(b.Name()+"-"+name, "/", "-") + ".png"
	require.NoError(b, os.WriteFile(filepath.Join(dir, name), shot.Data, 0o600))
}
