package macaroon_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// Metadata that two JSON parsers could interpret differently is rejected by
// every method that accepts metadata.
func TestCustomMetadataIsStrictJSON(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	kept := z.named(t, alice, macaroon.AccessToken())
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for text, want := range map[string]errors.ID{
		`{"a":1,"a":2}`:             errors.IDMalformedData,
		`{"a":[{"b":1,"b":1}]}`:     errors.IDMalformedData,
		`{"a":1e999}`:               errors.IDMalformedData,
		`{"a":{"b":[-1e309]}}`:      errors.IDMalformedData,
		`{"a":"\ud800"}`:            errors.IDMalformedData,
		`{"\udfff":1}`:              errors.IDMalformedData,
		deep(65):                    errors.IDMalformedData,
		`[]`:                        errors.IDBadValueJSON,
		`null`:                      errors.IDBadValueJSON,
		`nonsense`:                  errors.IDBadValueJSON,
		"{\"a\":\"\xff\"}":          errors.IDBadValueJSON,
		` {"a":[1e308,-0.5]} `:      "",
		`{"a":"\ud83d\ude00"}`:      "",
		`{"a":"\\ud800"}`:           "", // an escaped backslash
		`{"a":1,"A":2,"b":{"a":1}}`: "",
		deep(64):                    "",
	} {
		require.True(t, want == errors.IDBadValueJSON || json.Valid([]byte(text)), text)
		grant := macaroon.Grant{Type: macaroon.AccessToken(), Subject: alice, Custom: json.RawMessage(text)}
		_, err := z.IssueNamed(t.Context(), "custom", grant)
		changed := z.Update(t.Context(), kept.ID(), macaroon.Change{Custom: json.RawMessage(text)})
		if want == "" {
			require.NoError(t, err, text)
			require.NoError(t, changed, text)
			require.NoError(t, z.DeleteAll(t.Context(), alice))
			kept = z.named(t, alice, macaroon.AccessToken())
			continue
		}
		require.ErrorIs(t, err, want, text)
		require.ErrorIs(t, changed, want, text)
	}
}
