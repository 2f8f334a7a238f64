package caveat_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestParseGRI(t *testing.T) {
	for text, want := range map[string]caveat.GRI{
		"user.u1.instance:private":   {Type: "user", ID: "u1", Aspect: "instance", Scope: "private"},
		"user.u1.instance":           {Type: "user", ID: "u1", Aspect: "instance", Scope: "private"},
		"user.u1.instance:protected": {Type: "user", ID: "u1", Aspect: "instance", Scope: "protected"},
		"user.u1.instance:shared":    {Type: "user", ID: "u1", Aspect: "instance", Scope: "shared"},
		"user.u1.instance:public":    {Type: "user", ID: "u1", Aspect: "instance", Scope: "public"},
		"user.u1.instance:auto":      {Type: "user", ID: "u1", Aspect: "instance", Scope: "auto"},
		"user.null.list":             {Type: "user", ID: "null", Aspect: "list", Scope: "private"},
		"user.self.instance":         {Type: "user", ID: "self", Aspect: "instance", Scope: "private"},
		"space.s1.user,u1:private":   {Type: "space", ID: "s1", Aspect: "user,u1", Scope: "private"},
		"file.a:b/c.instance":        {Type: "file", ID: "a:b/c", Aspect: "instance", Scope: "private"},
		"user..":                     {Type: "user", Scope: "private"},
		"user..,":                    {Type: "user", Aspect: ",", Scope: "private"},
		"op_space.s1.a*:auto":        {Type: "op_space", ID: "s1", Aspect: "a*", Scope: "auto"},
	} {
		got, err := caveat.ParseGRI(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
		again, err := caveat.ParseGRI(got.String())
		require.NoError(t, err)
		assert.Equal(t, got, again)
	}
	assert.Equal(t, "user..:private", caveat.GRI{Type: "user", Scope: "private"}.String())
}

func TestBadGRI(t *testing.T) {
	for _, text := range []string{
		"", ".", "..", "user", "user.u1", "user.u1.a.b", "user.u1.a.b:private", "user.u1.a:private.x", "user.u1.a:b:c",
		"user.u1.a:", "user.u1.a:x", "user.u1.a:Private", "user.u1.a:private ", "user.u1.a,b,c", "user.u1.a,,b",
		"od_user.u1.a", "User.u1.a", " user.u1.a", "all.u1.a", ".u1.a", "u1.user.a",
		// Wildcards are for patterns.
		"*.u1.a", "user.*.a", "user.u1.*", "user.u1.a:*", "user.u1.*,b", "user.u1.a,*", "user.u1.*,*", "*.*.*:*",
	} {
		got, err := caveat.ParseGRI(text)
		assert.ErrorIs(t, err, errors.IDBadGRI, "%q", text)
		assert.Zero(t, got)
	}
}

func TestEveryResourceType(t *testing.T) {
	types := []string{
		"oz_worker", "user", "group", "space", "share", "provider", "handleService", "handle", "cluster", "harvester",
		"storage", "token", "space_stats", "temporary_token_secret", "atm_inventory", "atm_lambda", "atm_workflow_schema",
		"onp_cluster", "onp_host", "onp_panel", "onp_provider", "onp_service", "onp_space", "onp_storage", "onp_user",
		"onp_zone", "op_archive", "op_atm_inventory", "op_atm_lambda_snapshot", "op_atm_store",
		"op_atm_task_execution", "op_atm_workflow_execution", "op_atm_workflow_schema",
		"op_atm_workflow_schema_snapshot", "op_dataset", "file", "op_group", "op_handle", "op_handle_service",
		"op_metrics", "op_provider", "op_qos", "op_share", "op_space", "op_storage", "op_transfer", "op_user",
	}
	for _, typ := range types {
		_, err := caveat.ParseGRI(typ + ".x.instance")
		assert.NoError(t, err, typ)
		_, err = caveat.ParseGRI(typ + "s.x.instance")
		assert.ErrorIs(t, err, errors.IDBadGRI, typ)
	}
}

func TestPatternMatches(t *testing.T) {
	for _, c := range []struct {
		gri, pattern string
		want         bool
	}{
		{"user.u1.instance:private", "*.*.*:*", true},
		{"user.u1.instance:private", "user.*.*", true},
		{"user.u1.instance:protected", "user.*.*", false},
		{"user.u1.instance:private", "user.self.instance", false},
		{"user.self.instance:private", "user.self.instance", true},
		{"user.null.list:private", "user.*.list", true},
		{"user.null.list:private", "user.null.*", true},
		{"user.u1.list:private", "user.null.list", false},
		{"space.s1.user,u1:private", "space.s1.*:*", true},
		{"space.s1.user,u1:private", "space.s1.user:*", false},
		{"space.s1.user,u1:private", "space.s1.user,*:*", true},
		{"space.s1.user,u1:private", "space.s1.*,u1:*", true},
		{"space.s1.user,u1:private", "space.s1.*,*:*", true},
		{"space.s1.instance:private", "space.s1.*,*:*", false},
		{"space.s1.instance:private", "space.s1.instance,*:*", false},
		{"space.s1.instance:shared", "space.s1.instance:private", false},
		// These are not in the table of the original's documentation.
		{"space.s1.instance:shared", "*.s1.instance:shared", true},
		{"space.s1.instance:shared", "group.s1.instance:shared", false},
		{"space.s1.user,u1:private", "space.s1.user,u1", true},
		{"space.s1.user,u1:private", "space.s1.user,u2:*", false},
		{"space.s1.user,u1:private", "space.s1.group,u1:*", false},
		{"space.s1.user,u1:private", "space.s1.group,*:*", false},
		{"space.s1.user,u1:private", "space.s1.*,u2:*", false},
		{"space.s1.user,:private", "space.s1.user,", true},
		{"space.s1.user,:private", "space.s1.user", false},
		{"space.s1.u1:auto", "space.s1.u1:auto", true},
		{"space.s1.u1:auto", "space.s1.u1", false},
		{"space.s1.u1:private", "space.s1.u1:auto", false},
		{"space..x:private", "space..x", true},
		{"space..x:private", "space.null.x", false},
		{"space.s1.instance", "space.s*.instance", false},
	} {
		spec, err := caveat.ParseMatchSpec("all/all/" + c.pattern)
		require.NoError(t, err)
		gri, err := caveat.ParseGRI(c.gri)
		require.NoError(t, err)
		assert.Equal(t, c.want, spec.Matches(caveat.OzWorker, caveat.Get, gri), "%s on %s", c.pattern, c.gri)
	}
}
