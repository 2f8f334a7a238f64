// Package transfer copies all that one store keeps into another, and compares
// the two.
//
// [Copy] moves the records between any two stores, page by page, and can be
// resumed; [Compare] gives what they do not have in common, and [Walk] the
// records of one.
package transfer
