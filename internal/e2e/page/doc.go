// Package page tests the page for browsers in headless Chromium. It contains only
// tests.
//
// With SCREENSHOTS=DIR the tests write pictures of the views to that directory.
package page
