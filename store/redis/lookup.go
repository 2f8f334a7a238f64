package redis

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// All commands that read are pinned (Pin). The client resends them when a
// connection is lost, and would otherwise reuse their memory while the writer
// of the lost connection may still use it.

// get returns the value of the string, or "" if it does not exist.
func (s *Store) get(ctx context.Context, key string) (string, error) {
	return text(s.client.Do(ctx, s.client.B().Get().Key(key).Build().Pin()))
}

// text returns the string result of a command, or "" for nil.
func text(result rueidis.RedisResult) (string, error) { return textOf(result.ToString()) }

func textOf(value string, err error) (string, error) {
	if rueidis.IsRedisNil(err) {
		return "", nil
	}
	return value, err
}

// getEach returns the values of the strings, "" for missing ones. Each is read
// at a different time. The keys may be in any shards.
func (s *Store) getEach(ctx context.Context, keys []string) ([]string, error) {
	commands := make([]rueidis.Completed, len(keys))
	for i, key := range keys {
		commands[i] = s.client.B().Get().Key(key).Build().Pin()
	}
	return texts(s.client.DoMulti(ctx, commands...))
}

// readEach returns the decoded values of the strings that exist.
func readEach[R any](ctx context.Context, s *Store, keys []string, decode func(i int, value string) (R, error)) (records []R, err error) {
	values, err := s.getEach(ctx, keys)
	if err != nil {
		return nil, err
	}
	for i, value := range values {
		if value == "" {
			continue
		}
		record, err := decode(i, value)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

// texts returns the string results of the commands, "" for nil.
func texts(results []rueidis.RedisResult) (values []string, err error) {
	values = make([]string, len(results))
	for i, result := range results {
		if values[i], err = text(result); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// pair returns the values of two strings of one shard, read atomically.
func (s *Store) pair(ctx context.Context, first, second string) (one, two string, err error) {
	values, err := textsOf(s.client.Do(ctx, s.client.B().Mget().Key(first, second).Build().Pin()), 2)
	if err != nil {
		return "", "", err
	}
	return values[0], values[1], nil
}

// textsOf returns the n strings in the result of one command, "" for missing
// ones.
func textsOf(result rueidis.RedisResult, n int) ([]string, error) {
	values, err := result.AsStrSlice()
	if err == nil && len(values) != n {
		err = errFormat
	}
	return values, err
}

// pointer returns the decoded pointer.
func (s *Store) pointer(ctx context.Context, key string) (pointer, error) {
	value, err := s.get(ctx, key)
	if err != nil {
		return pointer{}, err
	}
	return decodePointer(value)
}

// follow calls found with the subject of the pointer, and again if found returns
// false and the pointer has changed. The error is notFound if the pointer or its
// record is missing, which can happen after a crash.
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

// locate follows the pointer of the token id. It calls found with the record of
// the token and the identity of its subject, read atomically; the identity is
// "" if missing. notFound: there is no record for which found returns true.
func (s *Store) locate(ctx context.Context, id string, found func(of caveat.Subject, token, identity string) (bool, error)) error {
	key := s.pointerKey(tokenPointer, id)
	if s.isCluster() {
		return s.follow(ctx, key, func(of caveat.Subject) (bool, error) {
			token, identity, err := s.pair(ctx, s.tokenKey(of, id), s.subjectKey(identityKind, of))
			if token == "" || err != nil {
				return false, err
			}
			return found(of, token, identity)
		})
	}
	values, err := textsOf(s.runReadOnly(ctx, lookUpScript, []string{key}, []string{s.o.Prefix, id}), 3)
	if err != nil {
		return err
	}
	p, err := decodePointer(values[0])
	if err != nil {
		return err
	}
	if values[1] == "" {
		return errors.NotFound()
	}
	if ok, err := found(p.subject, values[1], values[2]); ok || err != nil {
		return err
	}
	return errors.NotFound()
}
