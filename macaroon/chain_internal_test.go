package macaroon

import (
	"context"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
)

// The links of worked example A of the specification.
func TestTheChainOfTheWorkedExample(t *testing.T) {
	t.Parallel()
	token, err := Parse("MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDA2NWlkZW500aWZpZXIgMi9ubWQvdXNyLWQ00ZjU4NzZkYmU3ZjFlN2U4YTUxMWRlNmRkMzExNDRjL2FjdC800YzcxNDk2YmEzZGZmMDA1MmMwNGM2OTdiMTJmZTE1N2NoOWExZgowMDFhY2lkIHRpbWUgPCAxNTcxMTQ3NDk00CjAwMWNjaWQgaXAgPSAxODkuMzQuMTUuMC8yNAowMDJmc2lnbmF00dXJlIPovuOh8GsGWjsHW01SBL1XikK00pYMdVt00jhqff2ITX00oCg")
	require.NoError(t, err)
	secret := store.NewSecret("5fae9847bfb530bae8c20128b462076fd69fc89bdd26759b81020f1dcc3fcd04")
	var links []string
	ok := token.chain(secret, func(link signature) { links = append(links, hex.EncodeToString(link[:])) })
	assert.True(t, ok)
	assert.Equal(t, []string{
		"1a13ca61f57fa0fe98eb8660682d656e91ffcbcb96ea57ca5cf5db60321f38e1",
		"a453acdc0f73609f3860f6533d612ea794c0dd2772ebdc7039fb14777eb63d46",
		"fa2fb8e87c1ac1968ec1d6fd204bd578a42b4a5831d56dd2386a7dfd884d7d28",
	}, links)
}

func TestAKeyedMutexKeepsNothing(t *testing.T) {
	t.Parallel()
	var m keyedMutex
	unlock, err := m.lock(t.Context(), "a")
	require.NoError(t, err)
	done, cancel := contextDone(t)
	cancel()
	_, err = m.lock(done, "a")
	require.Error(t, err)
	other, err := m.lock(t.Context(), "b")
	require.NoError(t, err)
	other()
	unlock()
	assert.Empty(t, m.locks)
}

func contextDone(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}
