package caveat

import "slices"

// nameOf returns the name of a value of an enumeration, "unknown" for zero and
// for undefined values.
func nameOf[E ~uint8](names []string, e E) string {
	if e == 0 || int(e) >= len(names) {
		return "unknown"
	}
	return names[e]
}

// valueOf returns the value of an enumeration that has the name. The name of zero
// is "".
func valueOf[E ~uint8](names []string, name string) (e E, ok bool) {
	i := max(slices.Index(names, name), 0)
	return E(i), i > 0
}
