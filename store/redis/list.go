package redis

import (
	"cmp"
	"context"
	"slices"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// ListTokens implements [store.Lists]. A page of a subject is two round trips; a
// page of all tokens asks every shard, and merges.
func (s driver) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	if q.Name != "" {
		page, err = s.listNamed(ctx, q)
		return page, next, err
	}
	places, next, err := s.places(ctx, q)
	if err == nil {
		page, err = s.presentTokens(ctx, places, q.Subject)
	}
	return page, next, err
}

// ListTokenIDs implements [store.Lists]. A page of a subject is one round trip: it
// reads sorted sets, and a record only where a name is given.
func (s driver) ListTokenIDs(ctx context.Context, q store.Query) (ids []string, next store.Cursor, err error) {
	if q.Name != "" {
		page, err := s.listNamed(ctx, q)
		for _, t := range page {
			ids = append(ids, t.ID)
		}
		return ids, next, err
	}
	places, next, err := s.places(ctx, q)
	for _, p := range places {
		ids = append(ids, p.ID)
	}
	return ids, next, err
}

// CountTokens implements [store.Lists].
func (s driver) CountTokens(ctx context.Context, subject caveat.Subject) (int64, error) {
	return s.client.Do(ctx, s.client.B().Zcard().Key(s.subjectKey(listKind, subject)).Build().Pin()).AsInt64()
}

// places returns where the records of the page are, and the cursor of the next.
func (s *Store) places(ctx context.Context, q store.Query) (places []place, next store.Cursor, err error) {
	if q.Subject.IsZero() {
		places, err = s.placesOfAll(ctx, q)
	} else {
		places, err = s.placesOf(ctx, q)
	}
	if len(places) > q.Limit {
		places = places[:q.Limit]
		next = places[q.Limit-1].Cursor
	}
	return places, next, err
}

// placesOf returns the places of a subject's page, and one more if there is another
// page.
func (s *Store) placesOf(ctx context.Context, q store.Query) ([]place, error) {
	of := s.rangeAfter(s.subjectKey(listKind, q.Subject), memberOf(q.After), q.Limit+1)
	members, err := s.client.Do(ctx, of).AsStrSlice()
	if err != nil {
		return nil, err
	}
	return parsePlaces(tagOf(q.Subject.String()), members)
}

// listNamed returns the token with the name, if it comes after the cursor.
func (s *Store) listNamed(ctx context.Context, q store.Query) ([]store.Token, error) {
	names := s.subjectKey(namesKind, q.Subject)
	for before := ""; ; {
		id, err := text(s.client.Do(ctx, s.client.B().Hget().Key(names).Field(q.Name).Build().Pin()))
		if id == "" || id == before || err != nil {
			return nil, err
		}
		before = id
		found, err := s.tokensAt(ctx, []place{{tagOf(q.Subject.String()), store.Cursor{ID: id}}})
		if err != nil {
			return nil, err
		}
		// Otherwise it was renamed or removed between the two, and who has the
		// name now is another question, unless it is the same as before: then the
		// record is not there, as after a loss of data.
		if len(found) == 1 && found[0].Subject == q.Subject && found[0].Name == q.Name {
			t := found[0]
			if !q.After.IsZero() && compareCursors(q.After, store.Cursor{Created: t.Created, ID: t.ID}) >= 0 {
				return nil, nil
			}
			return found, nil
		}
	}
}

// placesOfAll merges what the shards have. It asks each for a few tokens, and
// again for more where these are used up.
func (s *Store) placesOfAll(ctx context.Context, q store.Query) (places []place, err error) {
	chunk := 2*q.Limit/shards + 2
	lists := make([]*shardList, shards)
	for i, tag := range tags {
		lists[i] = &shardList{tag: tag, after: memberOf(q.After)}
	}
	for len(places) <= q.Limit {
		if err := s.refill(ctx, lists, chunk); err != nil {
			return nil, err
		}
		first := slices.MinFunc(lists, compareHeads)
		if len(first.places) == 0 {
			break // so it is with all
		}
		places = append(places, first.places[0])
		first.places = first.places[1:]
	}
	return places, nil
}

// shardList is the part of a listing that one shard has.
type shardList struct {
	tag    string
	places []place // known and not yet used, in order
	after  string  // the member of the sorted set after which to go on
	ended  bool
}

// compareHeads orders lists by what comes first in them, and empty ones last.
func compareHeads(a, b *shardList) int {
	if len(a.places) == 0 || len(b.places) == 0 {
		return cmp.Compare(len(b.places), len(a.places))
	}
	return compareCursors(a.places[0].Cursor, b.places[0].Cursor)
}

// refill reads on in the shards of which nothing is known any more.
func (s *Store) refill(ctx context.Context, lists []*shardList, chunk int) error {
	var dry []*shardList
	var commands []rueidis.Completed
	for _, l := range lists {
		if len(l.places) == 0 && !l.ended {
			dry = append(dry, l)
			commands = append(commands, s.rangeAfter(s.key(allTokens, l.tag, ""), l.after, chunk))
		}
	}
	for i, result := range s.client.DoMulti(ctx, commands...) {
		members, err := result.AsStrSlice()
		if err != nil {
			return err
		}
		if dry[i].places, err = parsePlaces(dry[i].tag, members); err != nil {
			return err
		}
		if dry[i].ended = len(members) < chunk; !dry[i].ended {
			dry[i].after = members[chunk-1]
		}
	}
	return nil
}

// rangeAfter reads up to limit members of the sorted set that come after the
// given one, "" for the beginning.
func (s *Store) rangeAfter(key, after string, limit int) rueidis.Completed {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	return s.client.B().Zrangebylex().Key(key).Min(from).Max("+").Limit(0, int64(limit)).Build().Pin()
}

// place is where a named token is: its shard, and its place in a listing.
type place struct {
	tag string
	store.Cursor
}

func parsePlaces(tag string, members []string) ([]place, error) {
	places := make([]place, len(members))
	for i, member := range members {
		cursor, err := ofAge(member)
		if err != nil {
			return nil, err
		}
		places[i] = place{tag, cursor}
	}
	return places, nil
}

// memberOf returns the member of a sorted set at the place, "" for the beginning.
func memberOf(c store.Cursor) string {
	if c.IsZero() {
		return ""
	}
	return age(c.Created, c.ID)
}

func compareCursors(a, b store.Cursor) int {
	return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
}

// presentTokens returns the records at the places. A record that is gone or another by
// now is left out. All are of the subject, if one is given.
func (s *Store) presentTokens(ctx context.Context, places []place, subject caveat.Subject) ([]store.Token, error) {
	found, err := s.tokensAt(ctx, places)
	if err != nil {
		return nil, err
	}
	created := make(map[string]int64, len(places))
	for _, p := range places {
		created[p.ID] = p.Created
	}
	return slices.DeleteFunc(found, func(t store.Token) bool {
		return t.Created != created[t.ID] || !subject.IsZero() && t.Subject != subject
	}), nil
}

// tokensAt returns the records of those that are there, in the order of the
// places. The creation time in a place does not matter.
func (s *Store) tokensAt(ctx context.Context, places []place) ([]store.Token, error) {
	keys := make([]string, len(places))
	for i, p := range places {
		keys[i] = s.key(tokenKind, p.tag, p.ID)
	}
	return readEach(ctx, s, keys, func(i int, value string) (store.Token, error) { return decodeToken(places[i].ID, value) })
}
