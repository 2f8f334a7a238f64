package redis

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// What reads is pinned throughout this package: the client sends it again when a
// connection is lost, and would otherwise reuse its memory while the writer of
// the lost connection may still be at it.

// isKey reports whether a record can have the text as its id or name. What cannot
// be there is not asked for: it may have come with a forged token, and be long.
func isKey(text string) bool { return isHolder(caveat.User(text)) }

// isHolder reports whether a record can be about the subject.
func isHolder(s caveat.Subject) bool { return store.ValidateHolder(s) == nil }

// get returns the value of the string, "" where there is none.
func (s *Store) get(ctx context.Context, key string) (string, error) {
	return text(s.client.Do(ctx, s.client.B().Get().Key(key).Build().Pin()))
}

// text returns the string that a command gave, "" for none.
func text(result rueidis.RedisResult) (string, error) { return textOf(result.ToString()) }

func textOf(value string, err error) (string, error) {
	if rueidis.IsRedisNil(err) {
		return "", nil
	}
	return value, err
}

// getEach returns the values of the strings, "" for those that are not there,
// each as it is at some time. The keys may be of any shards.
func (s *Store) getEach(ctx context.Context, keys []string) ([]string, error) {
	commands := make([]rueidis.Completed, len(keys))
	for i, key := range keys {
		commands[i] = s.client.B().Get().Key(key).Build().Pin()
	}
	return texts(s.client.DoMulti(ctx, commands...))
}

// texts returns the strings that the commands gave, "" for none.
func texts(results []rueidis.RedisResult) (values []string, err error) {
	values = make([]string, len(results))
	for i, result := range results {
		if values[i], err = text(result); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// mayRemember reports whether the client may answer for the first of the keys from
// memory. It has to be one that was there: the server keeps account of all that a
// client remembers, in memory that forged tokens could fill with keys that never
// were.
func (s *Store) mayRemember(keys ...string) bool {
	if !s.caching.Load() || s.recent.has(keys...) {
		return false
	}
	_, present := s.present.get(keys[0])
	return present
}

// look returns the value of the string, if possible from memory.
func (s *Store) look(ctx context.Context, key string) (string, error) {
	if s.mayRemember(key) {
		if value, err := text(s.client.DoCache(ctx, s.cacheable(key), s.o.CacheTTL)); err == nil {
			return value, nil
		}
	}
	value, err := s.get(ctx, key)
	if value != "" {
		s.present.set(key, struct{}{})
	}
	return value, err
}

// pair returns the values of two strings of one shard as they are at one time,
// if possible from memory.
func (s *Store) pair(ctx context.Context, first, second string) (string, string, error) {
	if s.mayRemember(first, second) {
		if one, two, ok := s.rememberedPair(ctx, first, second); ok {
			return one, two, nil
		}
	}
	values, err := s.client.Do(ctx, s.client.B().Mget().Key(first, second).Build().Pin()).ToArray()
	if err == nil && len(values) != 2 {
		err = errFormat
	}
	if err != nil {
		return "", "", err
	}
	one, err := textOf(values[0].ToString())
	if err != nil {
		return "", "", err
	}
	if one != "" {
		s.present.set(first, struct{}{})
	}
	two, err := textOf(values[1].ToString())
	return one, two, err
}

// rememberedPair is pair from memory. It is not ok where one of the keys changed
// just now, or the server did not answer.
func (s *Store) rememberedPair(ctx context.Context, first, second string) (string, string, bool) {
	results := s.client.DoMultiCache(ctx,
		rueidis.CT(s.cacheable(first), s.o.CacheTTL), rueidis.CT(s.cacheable(second), s.o.CacheTTL))
	one, err := text(results[0])
	if err != nil {
		return "", "", false
	}
	two, err := text(results[1])
	if err != nil {
		return "", "", false
	}
	// One may have been remembered and the other read, and the first may have
	// changed before that: a token that was revoked before its holder was
	// unblocked would pass for valid. If the first is still the same, both were
	// what they are when the second was read.
	again, err := text(s.client.DoCache(ctx, s.cacheable(first), s.o.CacheTTL))
	return one, two, err == nil && revision(again) == revision(one)
}

// cacheable reads a key that never expires, which saves asking when it does.
func (s *Store) cacheable(key string) rueidis.Cacheable {
	return s.client.B().Get().Key(key).Cache().Pin().ToStaticTTL()
}

// pointer returns where the pointer leads.
func (s *Store) pointer(ctx context.Context, key string) (pointer, error) {
	value, err := s.get(ctx, key)
	if err != nil {
		return pointer{}, err
	}
	return decodePointer(value)
}

// follow has found look for a record in the shard of the subject to which the
// pointer leads. notFound: there is no pointer, or it leads to no such record,
// as after a crash. A pointer that was bent meanwhile is followed again.
func (s *Store) follow(ctx context.Context, key string, found func(caveat.Subject) (bool, error)) error {
	for last := ""; ; {
		p, err := s.pointer(ctx, key)
		if err != nil {
			return err
		}
		if p.revision == last {
			return errors.NotFound()
		}
		if ok, err := found(p.subject); ok || err != nil {
			return err
		}
		last = p.revision
	}
}

// locate is follow for the pointer of a token id, except that found is asked
// first to look where the token was the last time.
func (s *Store) locate(ctx context.Context, id string, found func(*location) (bool, error)) error {
	if !isKey(id) {
		return errors.NotFound()
	}
	if l, ok := s.hints.get(id); ok {
		if ok, err := found(l); ok || err != nil {
			return err
		}
	}
	return s.follow(ctx, s.pointerKey(tokenPointer, id), func(subject caveat.Subject) (bool, error) {
		l := s.locationOf(subject, id)
		s.present.set(l.tokenKey, struct{}{})
		ok, err := found(l)
		if ok {
			s.hints.set(id, l)
		}
		return ok, err
	})
}
