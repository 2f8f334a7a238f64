// Package readme holds nothing but the tests that compile and run the programs
// which the README shows.
package readme
