package rest

import (
	"encoding/json"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
	"github.com/onezone-go/onezone/store"
)

// additions returns the caveats that the owner of a token added to its record,
// and when, in Unix seconds.
func (c *config) additions(all []caveat.Addition) (caveats []caveat.Caveat, added []int64) {
	caveats, added = []caveat.Caveat{}, []int64{}
	texts := make([]string, len(all))
	for i, a := range all {
		texts[i] = a.Text
		added = append(added, a.Added.Unix())
	}
	if len(texts) > 0 {
		caveats = c.authority.Vocabulary().ParseList(texts).Caveats()
	}
	return caveats, added
}

// isConfined reports whether the client has a token with caveats.
func (c *call) isConfined() bool { return c.client.Token != nil && c.client.Token.IsConfined() }

// The names of canaries in JSON; null is an ordinary token.
var baitNames = map[string]store.Bait{"alarm": store.BaitAlarm, "revokeFamily": store.BaitRevokesFamily}

// baitName returns the name of the bait, nil for none.
func baitName(bait store.Bait) any {
	for name, b := range baitNames {
		if b == bait {
			return name
		}
	}
	return nil
}

// bait reads whether a token is a canary; 0 if the member is missing or null. The
// error is badValueNotAllowed.
func (in *input) bait(key string) store.Bait {
	return optional(in, key, func(raw json.RawMessage) (store.Bait, error) {
		if string(raw) == "null" {
			return 0, nil
		}
		name, _ := strictjson.Text(raw)
		bait, ok := baitNames[name]
		if !ok {
			return 0, errors.BadValueNotAllowed(key, "alarm", "revokeFamily")
		}
		return bait, nil
	})
}
