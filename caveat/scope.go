package caveat

import "slices"

// AvailableSpaces returns the spaces that the data access caveats of a token
// allow. They are sorted and without repetition if a caveat limits them. ["*"]
// means all spaces, in the argument and in the result. An [Unknown] caveat
// allows none. The result is never nil and shares no memory with the arguments.
func AvailableSpaces(cs []Caveat, spaces []string) []string {
	return narrow(cs, spaces, func(c Caveat) ([]string, bool) {
		limit, ok := dataSpaces(c)
		return limit, ok && !isAll(limit)
	})
}

// AllowedServiceIDs returns the ids of services of the type that the service
// caveats of a token allow, out of ids. They are sorted and without repetition
// if a caveat limits them. ["*"] means all services, in the argument and in the
// result. An [Unknown] caveat allows none. The result is never nil and shares
// no memory with the arguments.
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

// narrow returns the ids that every caveat with a limit allows.
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
