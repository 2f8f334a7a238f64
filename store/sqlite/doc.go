// Package sqlite keeps tokens and identities in an SQLite file: the embedded
// default for those who must not lose them. It needs no server and no cgo.
//
// [Open] takes the path of a file; [New] takes a handle that the caller owns.
// Either wants [Store.Migrate] called before anything else.
//
//	s, err := sqlite.Open(ctx, "/var/lib/app/onezone.db", sqlite.Options{})
//	if err == nil {
//		err = s.Migrate(ctx)
//	}
//
// # Durability
//
// A write that returned nil is on the disk: it survives a crash of the process,
// of the system, and the loss of power, as far as the disk keeps what it was
// told to sync. [Options].Synchronous trades some of that for speed, and says
// what. A call that returned an error wrote nothing, with one exception: where
// its context ended in the middle, the write may have been done. A full disk is
// an error of the call; the store goes on when there is space again.
//
// What can still be lost: everything, where something other than SQLite writes to
// the file or replaces it, or copies it while it is in use without what stands in
// the files beside it that end in -wal and -shm. Make backups with VACUUM INTO.
// A process that opens and closes the file by other means than SQLite drops the
// locks which keep writers apart; the driver's OFDLocking rules that out on
// Linux.
//
// # Consistency
//
// Each call is one transaction, done at once or not at all, and sees all that
// was committed before it began, by whatever process. Writers take turns: those
// of one store in the order in which they came, those of several stores and
// processes as they find the file free, for [Options].BusyTimeout at most.
// Readers wait for nobody.
//
// [Store.Watch] tells of the changes of all processes that share the file,
// including those made with SQL by hand: triggers write them to a table, which
// keeps the last 16,000 or so.
//
// # Scale
//
// One machine: any number of processes may share a file on a local disk, and
// none may use one on a network. Verifications use all cores. Writes are one at
// a time, each waiting for the disk; the driver's Fdatasync(true) makes that
// faster on many Linux file systems, at no loss. A named token takes half a
// kilobyte of the file or so. A look-up among a million tokens visits one page of
// the file more than among a thousand: a token stands at a place that its id
// tells.
//
// # Files
//
// Secrets stand in the file as they are: package store/seal encrypts them over
// any store. What is deleted or overwritten is overwritten in the file, too
// (PRAGMA secure_delete), but may be legible in the write-ahead log until it is
// used again. [Store.Scrub] leaves nothing of it in either, and is what
// re-sealing ends with. Backups, snapshots and the free blocks of the file system
// keep what they have.
//
// Open makes the file for its owner alone (mode 0600) and leaves the mode of one
// that is there. SQLite gives the files beside it the same mode. The tables are
// named onezone_*, so that the file may hold others.
package sqlite
