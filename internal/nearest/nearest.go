// Package nearest finds the name that was probably meant by a misspelled one.
package nearest

import "strings"

// Name returns the known name that is most similar to the given one, regardless
// of case, or "" if none is similar. A known name that begins with the given
// one is similar.
func Name(given string, known []string) string {
	name := strings.ToLower(given)
	nearest, least := "", len(name)/3+2
	for _, each := range known {
		candidate := strings.ToLower(each)
		distance := editDistance(name, candidate)
		if strings.HasPrefix(candidate, name) && len(name) > 2 {
			distance = min(distance, 1)
		}
		if distance < least && distance < len(candidate) {
			nearest, least = each, distance
		}
	}
	return nearest
}

// editDistance returns the number of bytes to insert, delete, replace or swap
// with a neighbor to get from a to b.
func editDistance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		older := before
		before, row = row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(before[j+1]+1, row[j]+1, before[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], older[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
