package tokeninfo

import (
	"context"
	"fmt"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// Cleaning says how to clean up tokens that were not used.
type Cleaning struct {
	Never  bool // also those without a recorded use
	Delete bool // instead of revoking them
	DryRun bool
}

// Cleaned is a token of a clean-up in JSON.
type Cleaned struct {
	Token
	Result string `json:"result"` // revoked, deleted, or what would be done
}

// String describes the clean-up of the token in words.
func (c Cleaned) String() string {
	done, use := c.Result, "no recorded use"
	if verb, dry := strings.CutPrefix(done, "would be "); dry {
		done = "would " + strings.TrimSuffix(verb, "d")
	}
	if c.LastUse != nil {
		use = "last used " + c.Used()
	}
	return fmt.Sprintf("%s token %s %q, %s", done, c.ID, c.Name, use)
}

// changer is an authority, or an account at an Onezone.
type changer interface {
	Revoke(ctx context.Context, id string) error
	Delete(ctx context.Context, id string) error
}

// Run cleans up those of the unused tokens that are not revoked or are to be
// deleted. With an error, it returns the tokens that it had cleaned up before.
func (c Cleaning) Run(ctx context.Context, at changer, unused []Token) ([]Cleaned, error) {
	do, result := at.Revoke, "revoked"
	if c.Delete {
		do, result = at.Delete, "deleted"
	}
	if c.DryRun {
		do, result = func(context.Context, string) error { return nil }, "would be "+result
	}
	list := []Cleaned{}
	for _, t := range unused {
		if t.LastUse == nil && !c.Never || t.State == Revoked && !c.Delete {
			continue
		}
		switch err := do(ctx, t.ID); {
		case errors.Is(err, errors.IDNotFound): // deleted since
		case err != nil:
			return list, fmt.Errorf("token %s: %w", t.ID, err)
		default:
			list = append(list, Cleaned{t, result})
		}
	}
	return list, nil
}
