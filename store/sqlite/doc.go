// Package sqlite keeps tokens and identities in an SQLite file.
//
// It is the embedded default for applications that must not lose them, and
// needs no server and no cgo. [Open] takes the path of a file, and [New] a
// handle that the caller owns. Call [Store.Migrate] before any other method.
//
//	s, err := sqlite.Open(ctx, "/var/lib/app/onezone.db", sqlite.Options{})
//	if err == nil {
//		err = s.Migrate(ctx)
//	}
//
// # Durability
//
// A write that returned nil is on the disk. It survives a crash of the process
// or the system and a power failure, if the disk keeps the data it was told to
// sync. [Options].Synchronous trades durability for speed. A call that returned
// an error wrote nothing, with one exception: if its context ended during the
// call, the write may have been done. A full disk fails the call; the store
// works again when there is space.
//
// # Consistency
//
// Each call is atomic and sees all commits of all processes that came before it.
// Writers of one store run in the order of their calls, and those that wait
// share a transaction; writers of other stores and processes wait for each other
// for at most [Options].BusyTimeout. Readers never wait.
//
// [Store.Watch] reports the changes of all processes that share the file,
// including changes made with SQL by hand. Triggers write them to a table that
// keeps the last 16,000 or so.
//
// # Scale
//
// Any number of processes on one machine may share a file on a local disk. The
// file must not be on a network file system. Verifications use all cores;
// writes run one at a time. Up to 64 concurrent calls share one wait for the
// disk, and each gets its own result. A look-up reads one page more among a
// million tokens than among a thousand.
//
// # Secrets
//
// Secrets are stored in clear; package
// [github.com/onezone-go/onezone/store/seal] encrypts them. [Store.Scrub]
// removes overwritten secrets from the file and its write-ahead log.
//
// See [docs/stores.md] for backups, file modes and driver options.
//
// [docs/stores.md]:
// https://github.com/onezone-go/onezone/blob/main/docs/stores.md#sqlite
package sqlite
