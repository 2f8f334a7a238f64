// Package wire encodes and decodes the bytes of a token: the packets of
// libmacaroons version 1, and their text of letters and digits.
//
// The encoding is canonical. Every sequence of packets has one text, and every
// accepted text is re-encoded to itself. The only exception is plain base64,
// the form of tokens from before the digit-zero escape.
package wire
