package store

import (
	"context"
	"time"
)

// Uses keeps when, where and how often each named token was last used. Uses are
// not part of the record of a token: recording them changes no record and is
// not reported by [Watcher], so it evicts nothing from caches. Deleting a token
// deletes its use.
type Uses interface {
	// RecordUses adds uses to those that are kept, all or none. For a token
	// that has a use already, the counts are added, up to [MaxUseCount], and
	// the other fields are those of the later use; of two uses in the same
	// minute, those of the last one recorded. Uses of unknown tokens are
	// dropped. A backend that spreads records over several machines documents
	// that it may fail after some uses were recorded.
	//
	// badData: a use is invalid, see [Use.Validate].
	RecordUses(ctx context.Context, uses []Use) error

	// LastUses returns the last uses of the tokens with the ids, in the order
	// of the ids. The zero Use stands for a token that has none or does not
	// exist.
	LastUses(ctx context.Context, ids []string) ([]Use, error)
}

// Use is when, where and how often a named token was last used.
type Use struct {
	TokenID   string
	At        int64  // Unix seconds of the beginning of the minute
	Address   string // of the client: an address, a network such as 192.0.2.0/24, or "" if it is not kept
	Service   string // that received the token, such as "opw-lyon"; "": unknown
	Interface string // that received the token, such as "rest"; "": unknown
	Count     int64  // number of uses, from 1
}

// MaxUseCount is the largest Count of a [Use]. JSON decoders that read numbers
// as floats can represent it exactly.
const MaxUseCount = 1<<53 - 1

// useMinute is the precision of the time of a use, in seconds.
const useMinute = int64(time.Minute / time.Second)

// maxUseTime is the last minute of the year 9999.
const maxUseTime = 253402300740

// IsZero reports whether there is no use.
func (u Use) IsZero() bool { return u == Use{} }

// UsedSince reports whether the last use was at the time or later. Uses are
// known to the minute only, so one in the same minute counts.
func (u Use) UsedSince(t time.Time) bool {
	return !u.IsZero() && time.Unix(u.At+useMinute, 0).After(t)
}

// Validate reports whether a backend can store the use. Its time must be a
// whole minute of the years 1970 to 9999, after the first. The texts must be
// valid UTF-8 without NUL and at most 1024 bytes long. The error is badData
// {key}.
func (u Use) Validate() error {
	switch {
	case u.At <= 0 || u.At > maxUseTime || u.At%useMinute != 0:
		return badRecord("at", "the time of a use must be a whole minute, in Unix seconds, before the year 10000")
	case u.Count < 1 || u.Count > MaxUseCount:
		return badRecord("count", "the count of a use must be at least 1 and at most 2^53-1")
	case !validText(u.TokenID) || u.TokenID == "":
		return badRecord("tokenId", "a use needs the id of a token, of valid UTF-8 without NUL, at most 1024 bytes long")
	case !validText(u.Address) || !validText(u.Service) || !validText(u.Interface):
		return badRecord("use", "the address, service and interface of a use must be valid UTF-8 without NUL, at most 1024 bytes long")
	}
	return nil
}

// Merge returns the use that is kept after another use of the same token was
// recorded. Backends can use it.
func (u Use) Merge(recorded Use) Use {
	latest := recorded
	if u.At > recorded.At {
		latest = u
	}
	latest.Count = u.Count + min(recorded.Count, MaxUseCount-u.Count)
	return latest
}
