package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
)

// The comparison is valid only if all peers do the same job.

func late() time.Time { return workload.expires }

func TestPeersYieldTheUser(t *testing.T) {
	t.Parallel()
	for _, p := range peers(workload, noon) {
		text, err := p.mint(workload)
		require.NoError(t, err, p.name)
		user, err := p.verify(text, request)
		require.NoError(t, err, p.name)
		assert.Equal(t, workload.user, user, p.name)

		justInTime := workload
		justInTime.expires = noon().Add(time.Second)
		text, err = p.mint(justInTime)
		require.NoError(t, err, p.name)
		_, err = p.verify(text, request)
		assert.NoError(t, err, p.name)
	}
}

func TestPeersRefuseARequestThatTheTokenForbids(t *testing.T) {
	t.Parallel()
	for what, u := range map[string]use{
		"elsewhere":                  {netip.MustParseAddr("198.51.100.1"), "rest"},
		"from nowhere":               {netip.Addr{}, "rest"},
		"through another interface":  {request.from, "oneclient"},
		"through no known interface": {request.from, ""},
	} {
		for _, p := range peers(workload, noon) {
			text, err := p.mint(workload)
			require.NoError(t, err, p.name)
			_, err = p.verify(text, u)
			assert.Error(t, err, "%s: %s", p.name, what)
		}
	}
	for _, p := range peers(workload, late) {
		text, err := p.mint(workload)
		require.NoError(t, err, p.name)
		_, err = p.verify(text, request)
		assert.Error(t, err, "%s: late", p.name)
	}
}

func TestPeersRefuseATokenThatTheServiceDidNotIssue(t *testing.T) {
	t.Parallel()
	guess, unknown := workload, workload
	guess.secret = strings.Repeat("f", len(guess.secret))
	unknown.id = strings.Repeat("f", len(unknown.id))
	for what, c := range map[string]claims{"another secret": guess, "another id": unknown} {
		for _, p := range peers(workload, noon) {
			text, err := p.mint(c)
			require.NoError(t, err, p.name)
			_, err = p.verify(text, request)
			assert.Error(t, err, "%s: %s", p.name, what)
		}
	}
	for _, p := range peers(workload, noon) {
		text, err := p.mint(workload)
		require.NoError(t, err, p.name)
		_, err = p.verify(text[:len(text)-4], request)
		assert.Error(t, err, "%s: cut off", p.name)
		i := len(text) - 10 // in the signature, whatever the format
		other := "A"
		if text[i] == 'A' {
			other = "B"
		}
		_, err = p.verify(text[:i]+other+text[i+1:], request)
		assert.Error(t, err, "%s: changed", p.name)
	}
}

func TestTheHandWrittenPeerMintsTheSameTextAsTheLibrary(t *testing.T) {
	t.Parallel()
	for i := range 100 {
		c := workload.numbered(i)
		ours, err := onezonePeer(c, noon).mint(c)
		require.NoError(t, err)
		theirs, err := mintV2(c)
		require.NoError(t, err)
		require.Equal(t, theirs, ours)
	}
}

func TestTheChainEndsInTheSignatureOfTheTokenAlone(t *testing.T) {
	t.Parallel()
	change := map[string]func(*chain){
		"secret":     func(c *chain) { c.secret = strings.Repeat("f", len(c.secret)) },
		"identifier": func(c *chain) { c.identifier += "x" },
		"caveat":     func(c *chain) { c.caveats[2] += "x" },
		"no caveat":  func(c *chain) { c.caveats = c.caveats[:2] },
		"signature":  func(c *chain) { c.signature[31] ^= 1 },
	}
	c, err := chainOf(workload)
	require.NoError(t, err)
	assert.True(t, c.verify())
	for what, change := range change {
		c, err := chainOf(workload)
		require.NoError(t, err)
		change(c)
		assert.False(t, c.verify(), what)
	}
}

func TestServicesOfTheGrowthVerifyTheirTokens(t *testing.T) {
	t.Parallel()
	full, texts := crowd(5000)
	require.Len(t, texts, 5000)
	users := map[string]bool{}
	for _, text := range texts {
		user, err := full.verify(text, request)
		require.NoError(t, err)
		users[user] = true
	}
	assert.Len(t, users, 1000, "five tokens of each user")
	small, _ := crowd(10)
	_, err := small.verify(texts[9], request)
	assert.Error(t, err, "of another service")

	for _, n := range []int{1, 10, 100} {
		s, text := caveated(n)
		user, err := s.verify(text, request)
		require.NoError(t, err)
		assert.Equal(t, workload.user, user)
		parsed, err := s.authority.Parse(text)
		require.NoError(t, err)
		assert.Len(t, parsed.Caveats(), n)
		_, err = small.verify(text, request)
		assert.Error(t, err, "of another service")
	}
}

func TestBothVerifyDischarges(t *testing.T) {
	texts, key := dischargedTexts(), store.NewSecret(workload.secret)
	for name, c := range map[string]struct {
		texts []string
		at    time.Time
		valid bool
	}{
		"all":            {texts, noon(), true},
		"all expired":    {texts, late(), false},
		"another order":  {[]string{texts[0], texts[2], texts[1]}, noon(), true},
		"one is missing": {texts[:2], noon(), false},
		"one is twice":   {[]string{texts[0], texts[1], texts[1]}, noon(), false},
	} {
		assert.Equal(t, c.valid, verifyHere(c.texts, key, c.at) == nil, name)
		assert.Equal(t, c.valid, verifyThere(c.texts, []byte(workload.secret), c.at) == nil, name)
	}
}
