package macaroon_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/vectors"
	"github.com/onezone-go/onezone/macaroon"
)

// uploads returns recorded requests to write two files.
func uploads() caveat.Recording {
	write := func(path string, at time.Time) caveat.Attempt {
		return caveat.Attempt{
			Request: caveat.Request{Now: at, IP: mustAddr("1.2.3.4"), Interface: caveat.REST, DataAccess: true, Session: caveat.AnySession()},
			Access:  caveat.Write, File: caveat.File{Path: path},
		}
	}
	return caveat.Recording{Attempts: []caveat.Attempt{write("/lab/a", start), write("/lab/b/c", start.Add(time.Minute))}}
}

func proposed(proposals []caveat.Proposal) string {
	var texts []string
	for _, p := range proposals {
		texts = append(texts, p.Caveat.String())
	}
	return strings.Join(texts, "\n")
}

func TestNarrowedTokensAcceptWhatWasRecorded(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithGeo(vectors.Geo(t)))
	token := z.access(t)
	r := uploads()
	proposals, err := z.Narrow(t.Context(), token, r)
	require.NoError(t, err)
	require.Equal(t, "time < 1600000061\nip = 1.2.3.4/32\nasn = 8973\ngeo.country = PL\ninterface = rest\ndata.path = L2xhYg==", proposed(proposals))
	for _, p := range proposals {
		token = confine(t, token, p.Caveat)
	}
	accepts := func(a caveat.Attempt) bool {
		e, err := z.Explain(t.Context(), token.String(), macaroon.Trial{Attempt: a})
		require.NoError(t, err)
		requireConsistent(t, e)
		return e.Accepted()
	}
	for _, a := range r.Attempts {
		require.True(t, accepts(a))
	}
	for _, p := range proposals {
		for _, m := range p.Mutations {
			m.Attempt.Geo = nil // that of the authority
			require.False(t, accepts(m.Attempt), "%s %s", p.Caveat, m.Words)
		}
	}
	again, err := z.Narrow(t.Context(), token, r)
	require.NoError(t, err)
	require.Empty(t, again, "the token says all of it")
}

func TestNarrowTakesASpec(t *testing.T) {
	t.Parallel()
	spec := macaroon.Spec{Type: macaroon.IdentityToken(), Caveats: []caveat.Caveat{caveat.Until(start.Add(30 * time.Second))}}
	r := uploads()
	r.Attempts = r.Attempts[:1]
	proposals, err := macaroon.Narrow(t.Context(), spec, r)
	require.NoError(t, err)
	require.Equal(t, "time < 1600000001\nip = 1.2.3.4/32\ninterface = rest", proposed(proposals), "no data caveats in an identity token")
	r.Until = start.Add(time.Hour)
	proposals, err = macaroon.Narrow(t.Context(), spec, r)
	require.NoError(t, err)
	require.Equal(t, "ip = 1.2.3.4/32\ninterface = rest", proposed(proposals), "it ends earlier already")
}

// No caveat makes a token accept more, so the recorded requests cannot be those
// of this token.
func TestNarrowRefusesATokenThatRefusesTheRecord(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for text, id := range map[string]errors.ID{
		"ip = 10.0.0.0/8": errors.IDTokenCaveatUnverified, "data.readonly": errors.IDTokenCaveatUnverified, "moon = full": errors.IDTokenCaveatUnknown,
	} {
		_, err := z.Narrow(t.Context(), confineText(t, z.access(t), text), uploads())
		requireID(t, id, err)
	}
	// What the record does not tell refuses nothing.
	_, err := z.Narrow(t.Context(), confineText(t, z.access(t), "service = opw-p1", "consumer = usr-u1"), uploads())
	require.NoError(t, err)
	_, err = z.Narrow(t.Context(), z.access(t), caveat.Recording{})
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
}

func TestNarrowIsBounded(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	caveats := make([]string, 256)
	for i := range caveats {
		caveats[i] = "time < 1700000000"
	}
	r := caveat.Recording{Attempts: make([]caveat.Attempt, 129)}
	_, err := z.Narrow(t.Context(), confineText(t, z.access(t), caveats...), r)
	require.ErrorIs(t, err, errors.IDLimitReached)
	r.Attempts = r.Attempts[:128]
	_, err = z.Narrow(t.Context(), confineText(t, z.access(t), caveats...), r)
	require.NoError(t, err)

	groups := &countingGroups{}
	z = newZone(t, macaroon.WithGroups(groups))
	list := make(caveat.Consumers, 100)
	for i := range list {
		list[i] = caveat.Group(fmt.Sprint(i))
	}
	for i := range r.Attempts {
		r.Attempts[i].Consumer = alice
	}
	groups.member = true // of the last group
	_, err = z.Narrow(t.Context(), confineText(t, z.access(t), list.String()), r)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified, "members are no longer looked up")
	require.LessOrEqual(t, groups.asked, 4096)
}

// The lists of few caveats can have so many entries that they take as long as
// many caveats.
func TestNarrowIsBoundedByTheEntriesOfLists(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ids := make(caveat.DataObjectID, 1024)
	for i := range ids {
		id, err := caveat.FileID{UUID: fmt.Sprint(i), Space: "lab"}.ObjectID()
		require.NoError(t, err)
		ids[i] = id
	}
	token := confineText(t, z.access(t), slices.Repeat([]string{ids.String()}, 16)...)
	r := caveat.Recording{Attempts: make([]caveat.Attempt, 64)}
	for i := range r.Attempts {
		r.Attempts[i] = caveat.Attempt{Request: caveat.Request{DataAccess: true}, Access: caveat.Read, File: caveat.File{ObjectIDs: ids[1023:]}}
	}
	_, err := z.Narrow(t.Context(), token, r)
	require.ErrorIs(t, err, errors.IDLimitReached)
	r.Attempts = r.Attempts[:63]
	_, err = z.Narrow(t.Context(), token, r)
	require.NoError(t, err)
}

// countingGroups counts how often it is asked.
type countingGroups struct {
	asked  int
	member bool // of the group 99
}

func (g *countingGroups) IsMember(_ context.Context, _ caveat.Subject, group string) (bool, error) {
	g.asked++
	return g.member && group == "99", nil
}

func TestNarrowRefusesCaveatsThatNoTokenCarries(t *testing.T) {
	t.Parallel()
	_, err := macaroon.Narrow(t.Context(), macaroon.Spec{Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{nil}}, uploads())
	require.ErrorIs(t, err, errors.IDBadValueCaveat)
}
