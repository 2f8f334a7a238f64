package macaroon

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
)

// maxGroups bounds how many groups a verification asks about: a holder can confine
// a token to as many as it has room for.
const maxGroups = 4096

// boundedGroups is a checker for one verification, which knows nobody to be in
// more groups than it may ask about.
type boundedGroups struct {
	caveat.GroupChecker
	left int
}

// IsMember implements [caveat.GroupChecker].
func (g *boundedGroups) IsMember(ctx context.Context, s caveat.Subject, group string) (bool, error) {
	if g.left == 0 {
		return false, nil
	}
	g.left--
	return g.GroupChecker.IsMember(ctx, s, group)
}
