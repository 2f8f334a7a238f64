package caveat

import "slices"

// AvailableSpaces returns which of the spaces the data access caveats of a
// token leave, sorted and without repetition where a caveat limits them. ["*"]
// stands for all spaces, in the argument and in the result. An [Unknown] caveat
// leaves none. The result is never nil and shares no memory with the arguments.
func AvailableSpaces(cs []Caveat, spaces []string) []string {
	return narrow(cs, spaces, func(c Caveat) ([]string, bool) {
		limit, ok := dataSpaces(c)
		return limit, ok && !isAll(limit)
	})
}

// AllowedServiceIDs returns which services of the type, out of those with the
// given ids, may use the token under its service caveats, sorted and without
// repetition where a caveat limits them. ["*"] stands for all, in the argument
// and in the result. An [Unknown] caveat allows none. The result is never nil
// and shares no memory with the arguments.
func AllowedServiceIDs(cs []Caveat, t ServiceType, ids []string) []string {
	return narrow(cs, ids, func(c Caveat) (limit []string, ok bool) {
		services, ok := c.(Services)
		for _, s := range services {
			if s.Type == t {
				limit = append(limit, s.ID)
			}
		}
		return limit, ok && !slices.Contains(limit, wildcard)
	})
}

func isAll(ids []string) bool { return len(ids) == 1 && ids[0] == wildcard }

// narrow returns the ids that are in the limit of every caveat that has one.
func narrow(cs []Caveat, ids []string, limitOf func(Caveat) (limit []string, ok bool)) []string {
	ids = append([]string{}, ids...)
	for _, c := range cs {
		c = language.normalize(c)
		limit, ok := limitOf(c)
		if !ok && c.Type() != TypeUnknown {
			continue
		}
		slices.Sort(limit)
		limit = slices.Compact(limit)
		if isAll(ids) {
			ids = append(ids[:0], limit...)
			continue
		}
		slices.Sort(ids)
		ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool {
			_, found := slices.BinarySearch(limit, id)
			return !found
		})
	}
	return ids
}
