package macaroon_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// undashed matches a random UUID (version 4, RFC 9562) without dashes, the form
// of Onezone's ids.
var undashed = regexp.MustCompile(`^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$`)

func TestIDsAreRandomUUIDsOfTheAuthoritysRandomness(t *testing.T) {
	t.Parallel()
	made := func(z *zone) (ids []string) {
		user, err := z.CreateUser(t.Context(), macaroon.NewUser{})
		require.NoError(t, err)
		legacy, err := z.IssueLegacy(t.Context(), alice, nil)
		require.NoError(t, err)
		return []string{user.ID, z.access(t).ID(), z.temporary(t, alice, macaroon.AccessToken()).ID(), legacy.ID()}
	}
	for range 50 {
		for _, id := range made(newZone(t)) {
			require.Regexp(t, undashed, id)
		}
	}
	repeated := func() *zone {
		return newZone(t, macaroon.WithRandom(strings.NewReader(strings.Repeat("0123456789", 100))))
	}
	assert.Equal(t, made(repeated()), made(repeated()))

	_, err := newZone(t, macaroon.WithRandom(strings.NewReader("short"))).CreateUser(t.Context(), macaroon.NewUser{})
	requireOperational(t, err)
}

// The original Onezone appends suffixes to some ids, and other systems have
// other forms of ids.
func TestIDsFromOutsideAreNotParsedAsUUIDs(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for _, id := range []string{"1", "kraków", strings.Repeat("f", 32), strings.Repeat("0", 32) + "ch0a1b", "00000000-0000-0000-0000-000000000000"} {
		token := mint(t, macaroon.Spec{ID: id})
		assert.Equal(t, id, parse(t, token.String()).ID())
		requireID(t, errors.IDTokenInvalid, z.verify(token))
		assert.True(t, caveat.User(id) == mint(t, macaroon.Spec{Subject: caveat.User(id)}).Subject())
	}
	parsing := regexp.MustCompile(`uuid\.(Must|Parse|FromBytes|Validate)`)
	files := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		source, err := os.ReadFile(path)
		assert.NotRegexp(t, parsing, string(source), path)
		return err
	}))
	require.Greater(t, files, 100)
}

// A package that needs any other dependency must be a separate module.
func TestTheRootModuleDependsOnThreeModulesDirectly(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	var direct []string
	for _, m := range regexp.MustCompile(`(?m)^(?:require|\t)\s*(\S+) v\S+$`).FindAllStringSubmatch(string(text), -1) {
		direct = append(direct, m[1])
	}
	assert.ElementsMatch(t, []string{"gopkg.in/macaroon.v2", "github.com/google/uuid", "github.com/stretchr/testify"}, direct,
		fmt.Sprintf("in\n%s", text))
}
