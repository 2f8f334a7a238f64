package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/python"
)

// Two other implementations of macaroons verify the signatures of this one, and
// this one verifies theirs.
func TestOtherImplementationsVerifyTokensAndConfineThem(t *testing.T) {
	t.Parallel()
	for peer, requirement := range map[string]string{
		"pymacaroons":  "import pymacaroons",
		"libmacaroons": `import ctypes; ctypes.CDLL("libmacaroons.so.0")`,
	} {
		t.Run(peer, func(t *testing.T) {
			t.Parallel()
			interpreter := python.Interpreter(t, requirement)
			dir := t.TempDir()
			s := start(t, dir)
			// Named tokens with caveats, so that the whole chain of signatures
			// is verified.
			a := s.do("POST", "/user/tokens/named", `{"name": "laptop", "caveats": [
				{"type": "ip", "whitelist": ["127.0.0.1/32", "10.0.0.0/8"]}, {"type": "interface", "interface": "rest"}]}`, "X-Auth-Token", s.token)
			require.Equal(t, 201, a.status, a.body)
			id, token := field(t, a.body, "tokenId"), field(t, a.body, "token")
			secret := secretOf(t, dir, "", id)

			hand := func(secret string) (string, error) {
				return python.Run(t, interpreter, "testdata/"+peer+"_peer.py", map[string]string{"token": token, "secret": secret, "caveat": "ip = 10.1.0.0/16"})
			}
			confined, err := hand(secret)
			require.NoError(t, err, confined)
			require.NotEqual(t, token, confined)
			verify := func(token, peer string) answer {
				return s.do("POST", "/tokens/verify_access_token", encoded(t, map[string]any{"token": token, "peerIp": peer, "interface": "rest"}))
			}
			require.Equal(t, 200, verify(token, "127.0.0.1").status)
			require.Equal(t, 200, verify(confined, "10.1.2.3").status)
			for _, elsewhere := range []string{"127.0.0.1", "10.2.0.1"} {
				a = verify(confined, elsewhere)
				require.Equal(t, 400, a.status)
				require.Contains(t, a.body, "tokenCaveatUnverified", "the caveat that was added counts")
			}
			again := s.do("POST", "/tokens/confine", encoded(t, map[string]any{
				"token": token, "caveats": []map[string]any{{"type": "ip", "whitelist": []string{"10.1.0.0/16"}}},
			}))
			require.Equal(t, confined, field(t, again.body, "token"), "both confine to the same text")

			said, err := hand(strings.Repeat("0", 64))
			require.Error(t, err, "it is the secret that it verifies with: %s", said)
		})
	}
}
