package macaroon

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
)

// maxGroups bounds the group lookups in one verification. Without it, a holder
// could confine a token to thousands of groups and so cause as many lookups.
const maxGroups = 4096

// boundedGroups is a GroupChecker for one verification with a limited number of
// lookups. Beyond the limit, IsMember returns false.
type boundedGroups struct {
	caveat.GroupChecker
	left int
}

func (g *boundedGroups) IsMember(ctx context.Context, s caveat.Subject, group string) (bool, error) {
	if g.left == 0 {
		return false, nil
	}
	g.left--
	return g.GroupChecker.IsMember(ctx, s, group)
}
