// Package retention detects strings that keep a larger string in memory, such
// as an id that is a substring of a token.
package retention

import (
	"runtime"
	"strings"
	"unsafe"
	"weak"
)

// Within returns the text as a substring of a long string. kept reports whether
// the long string is still in memory; call it after the last use of part.
func Within(text string) (part string, kept func() bool) {
	long := strings.Repeat(text+" ", 1<<20/(len(text)+1))
	whole := weak.Make(unsafe.StringData(long))
	return long[:len(text)], func() bool {
		runtime.GC()
		return whole.Value() != nil
	}
}
