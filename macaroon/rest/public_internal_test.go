package rest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
)

func TestASubjectIsAppendedInItsJSONForm(t *testing.T) {
	t.Parallel()
	for _, s := range []caveat.Subject{
		caveat.User("alice"), caveat.User("A-z_0.9"), caveat.User(""), caveat.User(`"`), caveat.User(`\`), caveat.User("a b"), caveat.User("<é>\u2028\n"),
		caveat.User("\xff"), caveat.Provider("p1"), caveat.Group("g1"), caveat.Nobody(), {},
	} {
		want, err := json.Marshal(s)
		require.NoError(t, err)
		require.Equal(t, "["+string(want), string(appendSubject([]byte("["), s)))
	}
}
