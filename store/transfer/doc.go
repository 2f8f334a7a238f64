// Package transfer copies the records of one store to another and compares
// stores.
//
// [Copy] copies records between any two stores page by page, and can be
// resumed. [Compare] returns the differences between two stores, and [Walk] the
// records of one store.
package transfer
