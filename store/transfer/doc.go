// Package transfer copies the records of one store to another and compares
// stores.
//
// [Copy] copies records between any two stores page by page, and can be
// resumed. [Compare] returns the differences between two stores, [Walk] the
// records of one store, and [Check] those with problems. [Backup] writes the
// records to a file with a checksum, and [Restore] reads it.
package transfer
