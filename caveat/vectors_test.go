package caveat_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/vectors"
	golden "github.com/onezone-go/onezone/testdata/vectors"
)

func TestVectorsCaveatTexts(t *testing.T) {
	type vector struct {
		Text      string          `json:"text"`
		Parses    *bool           `json:"parses"`
		Canonical *string         `json:"canonical"`
		JSON      json.RawMessage `json:"json"`
		Sane      *bool           `json:"sane"`
	}
	vectors.Each(t, "caveat_texts.jsonl", func(t *testing.T, v vector) {
		require.NotNil(t, v.Parses)
		c, err := caveat.Parse(v.Text)
		if !*v.Parses {
			require.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
			require.Equal(t, caveat.Unknown(v.Text), c)
			return
		}
		require.NoError(t, err)
		require.NotNil(t, v.Canonical)
		assert.Equal(t, *v.Canonical, c.String())
		raw, err := c.MarshalJSON()
		require.NoError(t, err)
		assert.JSONEq(t, string(v.JSON), string(raw))
		require.NotNil(t, v.Sane)
		assert.Equal(t, *v.Sane, caveat.Validate(c) == nil, "sane")
	})
}

func TestVectorsCaveatJSONs(t *testing.T) {
	type vector struct {
		JSON      json.RawMessage `json:"json"`
		Valid     *bool           `json:"valid"`
		Text      *string         `json:"text"`
		Canonical json.RawMessage `json:"canonical"`
	}
	vectors.Each(t, "caveat_jsons.jsonl", func(t *testing.T, v vector) {
		require.NotNil(t, v.Valid)
		c, err := caveat.FromJSON(v.JSON)
		if !*v.Valid {
			e := requireInvalid(t, err)
			shown, err := json.Marshal(e.Details["caveat"])
			require.NoError(t, err)
			if first := v.JSON[0]; first == '{' || first == '"' {
				require.JSONEq(t, string(v.JSON), string(shown))
			} else { // other values are shown as text
				require.EqualValues(t, '"', shown[0], "%s", shown)
			}
			require.Nil(t, c)
			return
		}
		require.NoError(t, err)
		require.NotNil(t, v.Text)
		assert.Equal(t, *v.Text, c.String())
		raw, err := c.MarshalJSON()
		require.NoError(t, err)
		assert.JSONEq(t, string(v.Canonical), string(raw))
	})
}

func TestVectorsAuthorize(t *testing.T) {
	vectors.Each(t, "authorize.jsonl", func(t *testing.T, v golden.Authorization) {
		require.Positive(t, v.Case)
		operation, err := caveat.ParseOperation(v.Operation)
		require.NoError(t, err)
		gri, err := caveat.ParseGRI(v.GRI)
		require.NoError(t, err)

		err = caveat.Authorize(parseAll(t, v.Caveats...), v.Service, operation, gri)
		if v.Result.OK {
			require.Nil(t, v.Result.Error)
			require.NoError(t, err)
			return
		}
		e, ok := errors.AsType[*errors.Error](err)
		require.True(t, ok, "allowed, or not of the catalogue: %v", err)
		assert.Equal(t, v.Result.HTTPCode, e.HTTPStatus())
		raw, err := json.Marshal(e)
		require.NoError(t, err)
		assert.JSONEq(t, string(v.Result.Error), withoutDescriptions(t, raw))
	})
}

// withoutDescriptions drops the descriptions of an error and those nested in it.
func withoutDescriptions(t *testing.T, raw []byte) string {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal(raw, &value))
	var drop func(any)
	drop = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			delete(value, "description")
			for _, v := range value {
				drop(v)
			}
		case []any:
			for _, v := range value {
				drop(v)
			}
		}
	}
	drop(value)
	out, err := json.Marshal(value)
	require.NoError(t, err)
	return string(out)
}

func TestVectorsScope(t *testing.T) {
	vectors.Each(t, "scope.jsonl", func(t *testing.T, v golden.Scope) {
		require.Positive(t, v.Case)
		cs := parseAll(t, v.Caveats...)
		assert.ElementsMatch(t, v.AvailableSpaces, caveat.AvailableSpaces(cs, v.Spaces))
		assert.ElementsMatch(t, v.AllowedServiceIDs, caveat.AllowedServiceIDs(cs, v.Service, v.ServiceIDs))
	})
}

func TestVectorsOffline(t *testing.T) {
	vectors.Each(t, "offline.jsonl", func(t *testing.T, v golden.Offline) {
		require.Positive(t, v.Case)
		got := printAll(offline(t, parseAll(t, v.Caveats...), v.Provider, v.Now+v.TTL))
		require.GreaterOrEqual(t, len(v.Result), 4)
		require.GreaterOrEqual(t, len(got), 4)
		assert.Equal(t, v.Result[:3], got[:3])
		assert.ElementsMatch(t, v.Result[3:], got[3:])
	})
}

func TestVectorsObjectIDs(t *testing.T) {
	type vector struct {
		Case          int    `json:"case"`
		Data          string `json:"data"`
		GUID          string `json:"guid"`
		ObjectID      string `json:"objectId"`
		ReadBack      string `json:"readBack"`
		Space         string `json:"space"`
		SpaceReadBack string `json:"spaceReadBack"`
	}
	vectors.Each(t, "objectids.jsonl", func(t *testing.T, v vector) {
		require.Positive(t, v.Case)
		part := strings.Split(v.Data, "#")
		file := caveat.FileID{UUID: part[1], Space: part[2]}
		switch part[0] {
		case "guid":
			require.Len(t, part, 3)
		case "shareGuid":
			require.Len(t, part, 4)
			file.Share = part[3]
		default:
			t.Fatalf("unexpected data %q", v.Data)
		}
		assert.Equal(t, v.Space, file.Space)
		assert.Equal(t, v.GUID, file.GUID())
		id, err := file.ObjectID()
		require.NoError(t, err)
		assert.Equal(t, v.ObjectID, id)

		back, err := caveat.ParseObjectID(v.ObjectID)
		require.NoError(t, err)
		assert.Equal(t, file, back)
		assert.Equal(t, v.ReadBack, back.GUID())
		assert.Equal(t, v.SpaceReadBack, back.Space)
		back, err = caveat.ParseGUID(v.GUID)
		require.NoError(t, err)
		assert.Equal(t, file, back)
	})
}
