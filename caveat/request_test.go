package caveat_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/onezone-go/onezone/caveat"
)

func TestSessionAccepts(t *testing.T) {
	for _, c := range []struct {
		name    string
		session caveat.Session
		token   string
		want    bool
	}{
		{"no session, unbound token", caveat.Session{}, "", true},
		{"no session, bound token", caveat.Session{}, "s1", false},
		{"a session, unbound token", caveat.InSession("s1"), "", false},
		{"a session, its token", caveat.InSession("s1"), "s1", true},
		{"a session, another's token", caveat.InSession("s1"), "s2", false},
		{"any session, unbound token", caveat.AnySession(), "", true},
		{"any session, bound token", caveat.AnySession(), "s1", true},
	} {
		assert.Equal(t, c.want, c.session.Accepts(c.token), c.name)
	}
}
