package caveat_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

type projectKey struct{}

// inProject adds the project of a request to the context.
func inProject(ctx context.Context, project string) context.Context {
	return context.WithValue(ctx, projectKey{}, project)
}

// projectKind is the kind "project = NUMBER", which holds for the project in the
// context and cannot be decided without one.
var projectKind = caveat.Kind{
	Name: "project",
	Validate: func(value string) error {
		if strings.Trim(value, "0123456789") != "" {
			return errors.New("a project is a number")
		}
		return nil
	},
	Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
		project, ok := ctx.Value(projectKey{}).(string)
		if !ok {
			return false, errDown
		}
		return project == value, nil
	},
}

// always returns a kind whose caveats always hold.
func always(name string) caveat.Kind {
	return caveat.Kind{Name: name, Satisfied: func(context.Context, string, *caveat.Request) (bool, error) { return true, nil }}
}

func vocabulary(t testing.TB, kinds ...caveat.Kind) *caveat.Vocabulary {
	t.Helper()
	v, err := caveat.NewVocabulary(kinds...)
	require.NoError(t, err)
	return v
}

func TestKindText(t *testing.T) {
	v := vocabulary(t, projectKind, always("project.id"), always("time2"), always("ip6"), always("x-1_y"))
	for _, c := range []struct{ text, typ, value, json string }{
		{"project = 42", "project", "42", `{"type":"project","value":"42"}`},
		{"project.id = 42", "project.id", "42", `{"type":"project.id","value":"42"}`},
		{"time2 = < 5", "time2", "< 5", `{"type":"time2","value":"\u003c 5"}`},
		{"ip6 = ::1|::2", "ip6", "::1|::2", `{"type":"ip6","value":"::1|::2"}`},
		{"x-1_y =  a = b ", "x-1_y", " a = b ", `{"type":"x-1_y","value":" a = b "}`},
	} {
		got, err := v.Parse(c.text)
		require.NoError(t, err)
		custom, ok := got.(caveat.Custom)
		require.True(t, ok)
		assert.Equal(t, caveat.Type(c.typ), got.Type())
		assert.Equal(t, c.value, custom.Value())
		assert.Equal(t, c.text, got.String())
		raw, err := got.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, c.json, string(raw))

		assert.NoError(t, v.Validate(got))
		built, err := v.New(c.typ, c.value)
		require.NoError(t, err)
		assert.Equal(t, got, built)
		read, err := v.FromJSON(raw)
		require.NoError(t, err)
		assert.Equal(t, got, read)

		// Without the vocabulary it is unknown.
		for _, other := range []*caveat.Vocabulary{nil, {}, vocabulary(t)} {
			got, err := other.Parse(c.text)
			assert.Equal(t, caveat.Unknown(c.text), got)
			assert.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
			_, err = other.FromJSON(raw)
			requireInvalid(t, err)
		}
	}
}

func TestKindsDoNotReachIntoOtherTexts(t *testing.T) {
	v := vocabulary(t, projectKind, always("time2"))
	for _, text := range []string{
		"project", "project ", "project =", "project = ", "project =42", "project= 42", "project != 42", "project < 42",
		"project  = 42", " project = 42", "Project = 42", "projects = 42", "project.id = 42", "project = x",
		"project = 4\n2", "project = 42\x00", "project = 42\x85", "project = \xff", "time2", "time2 < 5", "time = 5",
		"ip6 = ::1",
	} {
		got, err := v.Parse(text)
		assert.Equal(t, caveat.Unknown(text), got)
		assert.ErrorIs(t, err, errors.IDTokenCaveatUnknown, "%q", text)
	}
	got, err := v.Parse("time < 5")
	require.NoError(t, err)
	assert.Equal(t, caveat.Time{ValidUntil: 5}, got)
}

func TestKindNames(t *testing.T) {
	for _, name := range []string{"a", "project.id", "time2", "times", "ip6", "data", "geo", "datapath", "scopes", "a-b_c.9", strings.Repeat("a", 64)} {
		_, err := caveat.NewVocabulary(always(name))
		assert.NoError(t, err, name)
	}
	for _, name := range []string{
		"", " ", "Project", "projecT", "9lives", "-a", ".a", "_a", "a b", "a=b", "a|b", "a/b", "ż", "a\n", "a:", strings.Repeat("a", 65),
	} {
		_, err := caveat.NewVocabulary(always(name))
		requireBadKind(t, err, "a name is made of")
	}
	taken := []string{"authorization", "scope", "unknown", "data.x", "data.", "geo.city"}
	for _, typ := range caveat.Types() {
		taken = append(taken, string(typ))
	}
	for _, name := range taken {
		_, err := caveat.NewVocabulary(always(name))
		requireBadKind(t, err, "belongs to the Onezone language")
	}
	_, err := caveat.NewVocabulary(always("a"), always("b"), always("a"))
	requireBadKind(t, err, "given twice")
	_, err = caveat.NewVocabulary(caveat.Kind{Name: "a"})
	requireBadKind(t, err, "needs a Satisfied function")
}

func requireBadKind(t *testing.T, err error, hint string) {
	t.Helper()
	e, ok := errors.AsType[*errors.Error](err)
	require.True(t, ok, "accepted, or not of the catalogue: %v", err)
	require.Equal(t, errors.IDBadData, e.ID)
	require.Equal(t, "kind", e.Details["key"])
	require.Contains(t, e.Details["hint"], hint)
}

func TestKindDecides(t *testing.T) {
	v := vocabulary(t, projectKind)
	c, err := v.New("project", "42")
	require.NoError(t, err)
	assert.NoError(t, caveat.Check(inProject(t.Context(), "42"), c, &caveat.Request{}))

	err = caveat.Check(inProject(t.Context(), "7"), c, &caveat.Request{})
	requireUnverified(t, err, c)
	assert.NotErrorIs(t, err, errDown)

	err = caveat.Check(t.Context(), c, &caveat.Request{})
	requireUnverified(t, err, c)
	assert.ErrorIs(t, err, errDown)

	cs := []caveat.Caveat{c}
	assert.NoError(t, authorize(t, cs, "ozw/get/user.u1.instance"))
	assert.NoError(t, caveat.CheckFile(cs, caveat.File{Path: "/s"}, caveat.Write))
	assert.Equal(t, []string{"s1"}, caveat.AvailableSpaces(cs, []string{"s1"}))
}

func TestFailingKindIsRefusedWhateverItReturns(t *testing.T) {
	kind := always("broken")
	kind.Satisfied = func(context.Context, string, *caveat.Request) (bool, error) { return true, errDown }
	c, err := vocabulary(t, kind).New("broken", "x")
	require.NoError(t, err)
	err = caveat.Check(t.Context(), c, &caveat.Request{})
	requireUnverified(t, err, c)
	assert.ErrorIs(t, err, errDown)
}

func TestKindSeesTheRequest(t *testing.T) {
	kind := always("caller")
	kind.Satisfied = func(_ context.Context, value string, req *caveat.Request) (bool, error) {
		return req.Consumer.String() == value, nil
	}
	c, err := vocabulary(t, kind).New("caller", "usr-u1")
	require.NoError(t, err)
	assert.NoError(t, caveat.Check(t.Context(), c, &caveat.Request{Consumer: caveat.User("u1")}))
	requireUnverified(t, caveat.Check(t.Context(), c, &caveat.Request{}), c)
}

func TestNewCustom(t *testing.T) {
	v := vocabulary(t, projectKind, always("free"))
	for _, c := range []struct{ kind, value, problem string }{
		{"project", "x", `its kind refuses the value: "a project is a number"`},
		{"project", "", "must not be empty"},
		{"free", "", "must not be empty"},
		{"free", "a\tb", "control characters"},
		{"free", "a\xff", "valid UTF-8"},
		{"other", "x", "not in the vocabulary"},
		{"time", "5", "not in the vocabulary"},
		{"", "", "not in the vocabulary"},
	} {
		got, err := v.New(c.kind, c.value)
		assert.Nil(t, got)
		assert.Contains(t, requireInvalid(t, err).Description, c.problem)
	}
	_, err := (*caveat.Vocabulary)(nil).New("project", "42")
	requireInvalid(t, err)
	for _, raw := range []string{`{"type":"project"}`, `{"type":"project","value":42}`, `{"type":"project","value":"x"}`, `{"type":"project","whitelist":["42"]}`} {
		_, err := v.FromJSON([]byte(raw))
		requireInvalid(t, err)
	}
	got, err := v.FromJSON([]byte(`{"type":"project","value":"42","scope":"identityToken"}`))
	require.NoError(t, err)
	assert.Equal(t, caveat.IdentityOnly{}, got)
}

func TestKindBelongsToItsVocabulary(t *testing.T) {
	one, two := vocabulary(t, projectKind), vocabulary(t, projectKind)
	c, err := one.New("project", "42")
	require.NoError(t, err)
	assert.NoError(t, one.Validate(c))
	assert.NoError(t, one.LimitEntries(1).Validate(c))
	for _, other := range []*caveat.Vocabulary{nil, {}, vocabulary(t), two, vocabulary(t, always("project"))} {
		assert.Contains(t, requireInvalid(t, other.Validate(c)).Description, "not in the vocabulary")
	}
}

func TestKindsAreCopied(t *testing.T) {
	kinds := []caveat.Kind{always("mine")}
	v := vocabulary(t, kinds...)
	kinds[0].Name, kinds[0].Satisfied = "other", nil
	c, err := v.Parse("mine = x")
	require.NoError(t, err)
	assert.NoError(t, caveat.Check(t.Context(), c, &caveat.Request{}))
}

func TestZeroCustomIsUnknown(t *testing.T) {
	zero := caveat.Custom{}
	assert.Equal(t, caveat.TypeUnknown, zero.Type())
	assert.Empty(t, zero.String())
	assert.Empty(t, zero.Value())
	raw, err := zero.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, `{"type":"unknown","text":""}`, string(raw))
	assert.ErrorIs(t, caveat.Check(t.Context(), zero, &caveat.Request{}), errors.IDTokenCaveatUnknown)
	requireInvalid(t, vocabulary(t, projectKind).Validate(zero))
}

func TestVocabularyServesManyAtOnce(t *testing.T) {
	v := vocabulary(t, projectKind)
	ctx := inProject(t.Context(), "42")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				for _, text := range []string{"project = 42", "ip = 0.0.0.0/0", "api = all/all/*.*.*:*", "data.path = L3Mx", "nonsense"} {
					c, err := v.LimitEntries(10).Parse(text)
					if text == "nonsense" {
						assert.Error(t, err)
						continue
					}
					assert.NoError(t, v.Validate(c))
					_ = caveat.Check(ctx, c, &caveat.Request{})
					raw, err := c.MarshalJSON()
					assert.NoError(t, err)
					_, err = v.FromJSON(raw)
					assert.NoError(t, err)
					assert.NoError(t, caveat.Authorize([]caveat.Caveat{c}, caveat.OpWorker, caveat.Get, caveat.GRI{Type: "file", ID: "f", Aspect: "x", Scope: "private"}))
					_, _ = caveat.OfflineAccess([]caveat.Caveat{c}, "p", 5)
				}
			}
		})
	}
	group.Wait()
}
