// Package transfer copies the records of one store to another and compares
// stores.
//
// [Copy] copies records between any two stores page by page, and can be
// resumed. [Compare] returns the differences between two stores, [Walk] the
// records of one store, and [Check] those with problems. [Backup] writes the
// records to a file, and [OpenBackup] verifies and restores it.
//
// # Format of backups
//
// A backup in clear is a text of JSON lines, which end with a newline:
//
//	{"format":"onezone backup","version":1}
//	{"identity":{...}}, {"temporary":{...}}, {"token":{...}} or {"use":{...}}
//	{"records":NUMBER,"sha256":"HEX"}
//
// The first line is the header. The records follow in the order of a copy, each
// on a line, with the bytes of secrets in base64. The last line has the number
// of records and the SHA-256 of all lines before it. The checksum finds damage,
// but not a change by somebody who computes it again.
//
// A sealed backup is a backup in clear that is encrypted as a whole. It begins
// with a header that also has a random data key, encrypted by a [KeyRing]:
//
//	{"format":"onezone backup","version":1,"sealed":{"keyId":"ID","key":"BASE64"}}
//
// The backup in clear follows in chunks of 65536 bytes; the last one may be
// shorter. Each chunk is encrypted with AES-256-GCM under the data key, and is
// followed by its tag of 16 bytes. Its nonce is the number of the chunk, from
// 0, as 11 bytes in big-endian order, and a byte that is 1 for the last chunk
// and 0 for others. Its additional data is the line of the header with its
// newline. The additional data of the data key is "onezone backup 1". So no
// change, removal, addition or reordering of bytes is accepted without the keys.
package transfer
