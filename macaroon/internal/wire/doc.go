// Package wire is the byte form of a token: the packets of libmacaroons
// version 1, and their printable form, in which only letters and digits occur.
//
// Both directions are strict: every sequence of packets has one text and every
// text that is accepted prints back as itself, except for the plain base64 of
// tokens from before the digit-zero escape.
package wire
