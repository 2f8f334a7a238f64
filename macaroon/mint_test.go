package macaroon_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

func TestCaveatsThatCannotBeAdded(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{})
	for name, c := range map[string]struct {
		caveat caveat.Caveat
		id     errors.ID
	}{
		"nil":                       {nil, errors.IDBadValueCaveat},
		"unknown":                   {caveat.Unknown("moon = full"), errors.IDBadValueCaveat},
		"negative time":             {caveat.Time{ValidUntil: -1}, errors.IDBadValueCaveat},
		"70 kB":                     {caveat.DataPath{"/s/" + strings.Repeat("x", 70_000)}, errors.IDBadToken},
		"line feed in an id":        {caveat.Services{{Type: caveat.OpWorker, ID: "p\n1"}}, errors.IDBadValueCaveat},
		"not UTF-8":                 {caveat.Services{{Type: caveat.OpWorker, ID: "p\xff"}}, errors.IDBadValueCaveat},
		"separator in an id":        {caveat.Consumers{caveat.User("a|usr-b")}, errors.IDBadValueCaveat},
		"empty list":                {caveat.IP{}, errors.IDBadValueCaveat},
		"zero interface":            {caveat.Interface(0), errors.IDBadValueCaveat},
		"caveat of another program": {mustCustom(t), errors.IDBadValueCaveat},
	} {
		confined, err := token.Confine(caveat.REST, c.caveat)
		assert.True(t, confined.IsZero(), name)
		requireID(t, c.id, err)
	}
	assert.Empty(t, token.Caveats(), "a failed addition must leave the token as it was")

	_, err := token.ConfineText("")
	requireID(t, errors.IDBadValueCaveat, err)
	_, err = token.ConfineUnchecked(strings.Repeat("x", 65_527))
	requireID(t, errors.IDBadToken, err)
	largest := confineText(t, token, strings.Repeat("x", 65_526))
	assert.Equal(t, largest.String(), parse(t, largest.String()).String())
}

func mustCustom(t *testing.T) caveat.Caveat {
	t.Helper()
	v, err := caveat.NewVocabulary(projectKind("42"))
	require.NoError(t, err)
	c, err := v.New("project", "42")
	require.NoError(t, err)
	return c
}

func TestLimitsOfNewTokens(t *testing.T) {
	t.Parallel()
	many := make([]caveat.Caveat, macaroon.DefaultMaxCaveats)
	for i := range many {
		many[i] = caveat.REST
	}
	token := mint(t, macaroon.Spec{Caveats: many})
	_, err := token.Confine(caveat.REST)
	requireID(t, errors.IDLimitReached, err)

	// 16 caveats of 65 kB are more than 1 MiB of text.
	long := make([]string, 16)
	for i := range long {
		long[i] = strings.Repeat("x", 65_000)
	}
	_, err = mint(t, macaroon.Spec{}).ConfineUnchecked(long...)
	requireID(t, errors.IDTokenTooLarge, err)
	confineText(t, mint(t, macaroon.Spec{}), long[:11]...)
}

func TestSpecsThatCannotBeMinted(t *testing.T) {
	t.Parallel()
	good := macaroon.Spec{Domain: "onezone", ID: "id1", Subject: alice, Type: macaroon.AccessToken()}
	for name, c := range map[string]struct {
		change func(*macaroon.Spec)
		id     errors.ID
	}{
		"no domain":                {func(s *macaroon.Spec) { s.Domain = "" }, errors.IDBadValueDomain},
		"domain with a line feed":  {func(s *macaroon.Spec) { s.Domain = "a\nb" }, errors.IDBadValueDomain},
		"endless domain":           {func(s *macaroon.Spec) { s.Domain = strings.Repeat("d", 65_536) }, errors.IDBadValueDomain},
		"no id":                    {func(s *macaroon.Spec) { s.ID = "" }, errors.IDBadValueIdentifier},
		"id with a slash":          {func(s *macaroon.Spec) { s.ID = "a/b" }, errors.IDBadValueIdentifier},
		"id with a space":          {func(s *macaroon.Spec) { s.ID = "a b" }, errors.IDBadValueIdentifier},
		"endless id":               {func(s *macaroon.Spec) { s.ID = strings.Repeat("i", 65_536) }, errors.IDBadValueIdentifier},
		"version 3":                {func(s *macaroon.Spec) { s.Version = 3 }, errors.IDBadValueNotAllowed},
		"version -1":               {func(s *macaroon.Spec) { s.Version = -1 }, errors.IDBadValueNotAllowed},
		"version 1 looking like 2": {func(s *macaroon.Spec) { s.Version, s.ID = 1, identifierText }, errors.IDBadValueIdentifier},
		"negative generation":      {func(s *macaroon.Spec) { s.Generation = -1 }, errors.IDBadValueTooLow},
		"no subject":               {func(s *macaroon.Spec) { s.Subject = caveat.Subject{} }, errors.IDTokenSubjectInvalid},
		"nobody":                   {func(s *macaroon.Spec) { s.Subject = caveat.Nobody() }, errors.IDTokenSubjectInvalid},
		"group":                    {func(s *macaroon.Spec) { s.Subject = caveat.Group("g") }, errors.IDTokenSubjectInvalid},
		"subject without an id":    {func(s *macaroon.Spec) { s.Subject = caveat.User("") }, errors.IDTokenSubjectInvalid},
		"subject with a slash":     {func(s *macaroon.Spec) { s.Subject = caveat.User("a/b") }, errors.IDTokenSubjectInvalid},
		"no type":                  {func(s *macaroon.Spec) { s.Type = macaroon.Type{} }, errors.IDBadValueTokenType},
		"empty session":            {func(s *macaroon.Spec) { s.Type = macaroon.InviteToken(macaroon.UserJoinGroup, "") }, errors.IDBadValueTokenType},
		"session with a slash":     {func(s *macaroon.Spec) { s.Type = macaroon.SessionToken("a/b") }, errors.IDBadValueTokenType},
		"target with a colon":      {func(s *macaroon.Spec) { s.Type = macaroon.InviteToken(macaroon.UserJoinGroup, "a:b") }, errors.IDBadValueTokenType},
		"no invite type":           {func(s *macaroon.Spec) { s.Type = macaroon.InviteToken(0, "g") }, errors.IDBadValueTokenType},
		"unknown invite type":      {func(s *macaroon.Spec) { s.Type = macaroon.InviteToken(99, "g") }, errors.IDBadValueTokenType},
		"bad caveat":               {func(s *macaroon.Spec) { s.Caveats = []caveat.Caveat{nil} }, errors.IDBadValueCaveat},
	} {
		s := good
		c.change(&s)
		token, err := macaroon.Mint(s, secret)
		assert.True(t, token.IsZero(), name)
		requireID(t, c.id, err)
	}
	_, err := macaroon.Mint(good, store.Secret{})
	requireID(t, errors.IDBadValueEmpty, err)
	_, err = macaroon.Mint(macaroon.Spec{}, secret)
	require.Error(t, err)
}
