package redis

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// What reads is pinned throughout this package: the client sends it again when a
// connection is lost, and would otherwise reuse its memory while the writer of
// the lost connection may still be at it.

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

// readEach returns what decode makes of the values of the strings that are there.
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

// pair returns the values of two strings of one shard as they are at one time.
func (s *Store) pair(ctx context.Context, first, second string) (one, two string, err error) {
	values, err := textsOf(s.client.Do(ctx, s.client.B().Mget().Key(first, second).Build().Pin()), 2)
	if err != nil {
		return "", "", err
	}
	return values[0], values[1], nil
}

// textsOf returns the n strings that one command gave, "" for those that are not
// there.
func textsOf(result rueidis.RedisResult, n int) ([]string, error) {
	values, err := result.AsStrSlice()
	if err == nil && len(values) != n {
		err = errFormat
	}
	return values, err
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

// locate has found look at the record of the token and at the identity of the
// subject to which the pointer of its id leads, "" for none, as they are at one
// time. notFound: there is no record that found says is the one.
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
	values, err := textsOf(s.ask(ctx, lookUpScript, []string{key}, []string{s.o.Prefix, id}), 3)
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
