package discharge_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/vtest"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// The macaroons of the suites were made by other implementations. The tests of
// internal/e2e/formats verify them with these implementations, too.
func TestVerificationSuites(t *testing.T) {
	t.Parallel()
	suites, err := vtest.Suites()
	require.NoError(t, err)
	for version, format := range map[int]general.Format{1: general.V1, 2: general.V2} {
		require.Greater(t, len(suites[version]), 20)
		for _, c := range suites[version] {
			t.Run(format.String()+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				m, err := general.Parse(c.Macaroon, format)
				require.NoError(t, err)
				discharges := make([]general.Macaroon, len(c.Discharges))
				for i, text := range c.Discharges {
					discharges[i], err = general.Parse(text, format)
					require.NoError(t, err)
				}
				req, err := c.Request()
				require.NoError(t, err)
				_, err = discharge.Verify(t.Context(), m, store.NewSecret(c.Key), req, discharges...)
				if c.Verdict == vtest.Authorized {
					require.NoError(t, err)
				} else {
					_, refused := errors.AsType[*errors.Error](err)
					require.True(t, refused, "%v", err)
				}
			})
		}
	}
}
