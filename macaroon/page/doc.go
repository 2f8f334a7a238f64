// Package page is a page for browsers, on which users see, create, narrow and
// revoke their tokens.
//
// [New] returns its handler, to be served beside the token API:
//
//	tokens, err := page.New(authority, page.Options{})
//	mux.Handle("/{$}", tokens)
//	mux.Handle("/page/", tokens)
//	mux.Handle(rest.Prefix+"/", api)
//
// The page works below any path prefix that a proxy removes, because all its
// addresses are relative. It consists of JavaScript modules that the browser runs
// as they are, and requests nothing from other origins. Its Content-Security-Policy
// allows no inline code, no inline styles and no frames.
//
// # Log-in
//
// POST /page/log_in exchanges a password, or the access token of an identity
// provider, for a log-in token (see [macaroon.Authority.IssueLogIn]), which the
// page keeps in a variable. No cookie identifies a user, so a page of another site
// can change nothing in the user's name. [Options.IdentityProvider] names the
// path of a log-in that ends with a redirect to the page:
//
//	/#log-in=TOKEN&nonce=NONCE
//
// TOKEN is a log-in token, and NONCE the query parameter nonce with which the page
// began the log-in. The page ignores a log-in that it did not begin.
package page
