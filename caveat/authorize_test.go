package caveat_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// authorize calls Authorize for an operation given as a match spec without
// wildcards: "ozw/get/user.u1.instance:private".
func authorize(t testing.TB, cs []caveat.Caveat, asked string) error {
	t.Helper()
	part := strings.SplitN(asked, "/", 3)
	require.Len(t, part, 3)
	operation, err := caveat.ParseOperation(part[1])
	require.NoError(t, err)
	service, err := caveat.ParseServiceType(part[0])
	require.NoError(t, err)
	return caveat.Authorize(cs, service, operation, gri(t, part[2]))
}

func TestAuthorize(t *testing.T) {
	const (
		readUser = "ozw/get/user.u1.instance"
		path     = "data.path = L3MxL2E=|L3My" // /s1/a and /s2
		object   = "data.objectid = 000000000010DB4967756964237575696423737061636531"
	)
	for _, c := range []struct {
		name    string
		caveats []string
		asked   string
		refuses int // the index of the caveat that refuses, -1 if none does
	}{
		{"no caveats", nil, readUser, -1},
		{"caveats of verification do not count", []string{"time < 5", "ip = 1.2.3.4", "consumer = usr-x", "interface = rest", "authorization = none", "asn = 5", "geo.country = PL", "geo.region = EU"}, readUser, -1},

		{"api allows", []string{"api = ozw/get/user.*.*"}, readUser, -1},
		{"api refuses", []string{"api = ozw/get/space.*.*"}, readUser, 0},
		{"api lists are unions", []string{"api = ozw/get/space.*.*|ozw/get/user.*.*"}, readUser, -1},
		{"api caveats intersect", []string{"api = ozw/get/user.*.*", "api = ozw/update/user.*.*"}, readUser, 1},
		{"api scope is private where none is given", []string{"api = ozw/get/user.*.*"}, "ozw/get/user.u1.instance:shared", 0},

		{"ozw: everything of its own", []string{"service = ozw-onezone"}, "ozw/delete/space.s1.user,u1:auto", -1},
		{"ozw: nothing else", []string{"service = ozw-*"}, "opw/get/file.f.instance", 0},
		{"ozp: its own", []string{"service = ozp-onezone"}, "ozp/update/onp_zone.x.y", -1},
		{"ozp: reads users", []string{"service = ozp-onezone"}, readUser, -1},
		{"ozp: reads clusters", []string{"service = ozp-onezone"}, "ozw/get/cluster.c.x:shared", -1},
		{"ozp: reads providers", []string{"service = ozp-onezone"}, "ozw/get/provider.c.x:shared", -1},
		{"ozp: no spaces", []string{"service = ozp-onezone"}, "ozw/get/space.c.x", 0},
		{"ozp: no updates", []string{"service = ozp-onezone"}, "ozw/update/user.u1.instance", 0},
		{"ozp: not opp", []string{"service = ozp-onezone"}, "opp/get/onp_host.x.y", 0},
		{"opp: its own", []string{"service = opp-p"}, "opp/delete/onp_host.x.y", -1},
		{"opp: reads users", []string{"service = opp-p"}, readUser, -1},
		{"opp: reads clusters", []string{"service = opp-p"}, "ozw/get/cluster.c.x:auto", -1},
		{"opp: no groups", []string{"service = opp-p"}, "ozw/get/group.c.x", 0},
		{"opw: its own", []string{"service = opw-p"}, "opw/create/op_transfer.null.instance", -1},
		{"opw: reads users", []string{"service = opw-p"}, "ozw/get/user.u1.eff_groups:auto", -1},
		{"opw: acquires IdP tokens", []string{"service = opw-p"}, "ozw/create/user.u1.idp_access_token,google", -1},
		{"opw: creates nothing else of users", []string{"service = opw-p"}, "ozw/create/user.u1.idp_access_token", 0},
		{"opw: reads groups", []string{"service = opw-p"}, "ozw/get/group.g.instance:shared", -1},
		{"opw: reads spaces", []string{"service = opw-p"}, "ozw/get/space.s.instance", -1},
		{"opw: infers groups", []string{"service = opw-p"}, "ozw/create/space.s.infer_accessible_eff_groups", -1},
		{"opw: creates nothing else of spaces", []string{"service = opw-p"}, "ozw/create/space.s.instance", 0},
		{"opw: shares", []string{"service = opw-p"}, "ozw/delete/share.s.instance:public", -1},
		{"opw: reads providers", []string{"service = opw-p"}, "ozw/get/provider.p.instance", -1},
		{"opw: handles", []string{"service = opw-p"}, "ozw/update/handle.h.instance", -1},
		{"opw: reads handle services", []string{"service = opw-p"}, "ozw/get/handleService.h.instance", -1},
		{"opw: reads inventories", []string{"service = opw-p"}, "ozw/get/atm_inventory.i.instance", -1},
		{"opw: reads lambdas", []string{"service = opw-p"}, "ozw/get/atm_lambda.i.instance", -1},
		{"opw: reads schemas", []string{"service = opw-p"}, "ozw/get/atm_workflow_schema.i.instance", -1},
		{"opw: no tokens", []string{"service = opw-p"}, "ozw/get/token.i.instance", 0},
		{"opw: no clusters", []string{"service = opw-p"}, "ozw/get/cluster.i.instance", 0},
		{"service lists are unions", []string{"service = ozp-x|ozw-x"}, "ozw/delete/space.s.instance", -1},
		{"service caveats intersect", []string{"service = ozw-x", "service = ozp-x"}, "ozw/delete/space.s.instance", 1},

		{"data at opw: files", []string{"data.readonly"}, "opw/delete/file.f.rdf_metadata:public", -1},
		{"data at opw: the list of spaces", []string{"data.readonly"}, "opw/get/op_space.null.list", -1},
		{"data at opw: only in the scope private", []string{"data.readonly"}, "opw/get/op_space.null.list:shared", 0},
		{"data at opw: only for reading", []string{"data.readonly"}, "opw/update/op_space.null.list", 0},
		{"data at opw: every space", []string{"data.readonly"}, "opw/get/op_space.s9.instance", -1},
		{"data at opw: no other aspects", []string{"data.readonly"}, "opw/get/op_space.s9.transfers", 0},
		{"data at opw: nothing else", []string{"data.readonly"}, "opw/get/op_transfer.x.instance", 0},
		{"data at ozw: users", []string{"data.readonly"}, "ozw/get/user.u1.instance:shared", -1},
		{"data at ozw: only the instance", []string{"data.readonly"}, "ozw/get/user.u1.eff_groups", 0},
		{"data at ozw: only for reading", []string{"data.readonly"}, "ozw/update/user.u1.instance", 0},
		{"data at ozw: shares", []string{"data.readonly"}, "ozw/get/share.s.instance:public", -1},
		{"data at ozw: every space", []string{"data.readonly"}, "ozw/get/space.s9.instance:protected", -1},
		{"data at ozw: spaces only for reading", []string{"data.readonly"}, "ozw/delete/space.s9.instance", 0},
		{"data at ozw: no groups", []string{"data.readonly"}, "ozw/get/group.g.instance", 0},
		{"data at ozp", []string{"data.readonly"}, "ozp/get/onp_zone.x.y", 0},
		{"data at opp", []string{"data.readonly"}, "opp/get/onp_host.x.y", 0},
		{"oneclient limits as data does", []string{"interface = oneclient"}, "ozw/get/group.g.instance", 0},
		{"oneclient reads every space", []string{"interface = oneclient"}, "ozw/get/space.s9.instance", -1},
		{"oneclient works on files", []string{"interface = oneclient"}, "opw/create/file.f.x", -1},
		{"other interfaces do not limit", []string{"interface = graphsync"}, "ozw/get/group.g.instance", -1},
		{"path: files", []string{path}, "opw/delete/file.f.x", -1},
		{"path: the first space", []string{path}, "opw/get/op_space.s1.instance", -1},
		{"path: the second space", []string{path}, "ozw/get/space.s2.instance:shared", -1},
		{"path: no other space", []string{path}, "ozw/get/space.s3.instance", 0},
		{"path: spaces have one scope at opw", []string{path}, "opw/get/op_space.s1.instance:shared", 0},
		{"object: its space", []string{object}, "ozw/get/space.space1.instance", -1},
		{"object: no other space", []string{object}, "ozw/get/space.space2.instance", 0},
		{"object: undecodable ids stand for no space", []string{"data.objectid = zz|00"}, "ozw/get/space.zz.instance", 0},
		{"path: without a component matches no space", []string{"data.path = |Lw==|czE="}, "ozw/get/space..instance", 0},
		{"path: relative matches no space", []string{"data.path = czE="}, "ozw/get/space.s1.instance", 0},
		{"path: slashes count once", []string{"data.path = Ly9zMS8vYQ=="}, "ozw/get/space.s1.instance", -1},
		{"path: a star is every space", []string{"data.path = Lyoveg=="}, "ozw/get/space.s7.instance", -1},
		{"path: a star at opw", []string{"data.path = Lyoveg=="}, "opw/get/op_space.s7.instance", -1},
		{"path: a star is no more than that", []string{"data.path = Lyoveg=="}, "ozw/get/group.g.instance", 0},
		{"data caveats intersect", []string{"data.path = L3Mx", "data.path = L3My"}, "ozw/get/space.s1.instance", 1},

		{"api before service", []string{"service = ozp-x", "api = ozw/get/user.*.*"}, "ozw/get/group.g.x", 1},
		{"service before data", []string{"data.readonly", "service = ozp-x"}, "ozw/get/group.g.x", 1},
		{"api before data", []string{"interface = oneclient", "api = ozw/get/user.*.*"}, "ozw/get/group.g.x", 1},
		{"in the order of the token", []string{"data.readonly", "interface = oneclient"}, "ozw/get/group.g.x", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			cs := parseAll(t, c.caveats...)
			err := authorize(t, cs, c.asked)
			if c.refuses < 0 {
				require.NoError(t, err)
				return
			}
			requireForbidden(t, err, cs[c.refuses])
		})
	}
}

func TestAuthorizeRefusesUnknownCaveats(t *testing.T) {
	user := gri(t, "user.u1.instance")
	everything := caveat.API{spec(t, "all/all/*.*.*:*")}
	type wrapped struct{ caveat.API }
	for _, c := range []caveat.Caveat{
		caveat.Unknown("x = y"), caveat.Unknown(""), nil, caveat.Custom{}, &everything, wrapped{everything}, (*caveat.Time)(nil),
	} {
		err := caveat.Authorize([]caveat.Caveat{everything, c}, caveat.OzWorker, caveat.Get, user)
		require.ErrorIs(t, err, errors.IDUnauthorized)
		assert.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
	}
	assert.NoError(t, caveat.Authorize([]caveat.Caveat{everything}, caveat.OzWorker, caveat.Get, user))

	for _, c := range []caveat.Caveat{everything, caveat.Services{{Type: caveat.OzWorker, ID: "*"}}, caveat.DataReadonly{}} {
		requireForbidden(t, caveat.Authorize([]caveat.Caveat{c}, 0, caveat.Get, user), c)
		requireForbidden(t, caveat.Authorize([]caveat.Caveat{c}, caveat.OzWorker, 0, user), c)
	}
	for _, c := range []caveat.Caveat{caveat.API{}, caveat.API{{}}, caveat.Services{}, caveat.Services{{}}} {
		requireForbidden(t, caveat.Authorize([]caveat.Caveat{c}, caveat.OzWorker, caveat.Get, user), c)
	}
}

func TestAuthorizeRequiresARegularGRI(t *testing.T) {
	for _, g := range []caveat.GRI{
		{},
		{Type: "*", ID: "u1", Aspect: "a", Scope: "private"},
		{Type: "user", ID: "*", Aspect: "a", Scope: "private"},
		{Type: "user", ID: "u1", Aspect: "*", Scope: "private"},
		{Type: "user", ID: "u1", Aspect: "*,x", Scope: "private"},
		{Type: "user", ID: "u1", Aspect: "x,*", Scope: "private"},
		{Type: "user", ID: "u1", Aspect: "a", Scope: "*"},
		{Type: "user", ID: "u1", Aspect: "a"},
		{Type: "users", ID: "u1", Aspect: "a", Scope: "private"},
		{Type: "user", ID: "u1.x", Aspect: "a", Scope: "private"},
		{Type: "user", ID: "u1", Aspect: "a.b", Scope: "private"},
		{Type: "user", ID: "u1", Aspect: "a:b", Scope: "private"},
		{Type: "user", ID: "u1", Aspect: "a,b,c", Scope: "private"},
	} {
		assert.ErrorIs(t, caveat.Authorize(nil, caveat.OzWorker, caveat.Get, g), errors.IDBadGRI, "%+v", g)
	}
}
