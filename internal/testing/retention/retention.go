// Package retention tells tests whether something small keeps something large in
// memory: an id that was cut from a token, all of the token.
package retention

import (
	"runtime"
	"strings"
	"unsafe"
	"weak"
)

// Within returns the text as a part of a long one, and what reports whether the
// long one is still in memory once the part is not used any more.
func Within(text string) (part string, kept func() bool) {
	long := strings.Repeat(text+" ", 1<<20/(len(text)+1))
	whole := weak.Make(unsafe.StringData(long))
	return long[:len(text)], func() bool {
		runtime.GC()
		return whole.Value() != nil
	}
}
