package caveat_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestPartyText(t *testing.T) {
	testCanonical(t, []canonical{
		{
			text:  "service = ozw-onezone|opp-*|opw-|ozp-a-b c",
			value: caveat.Services{{Type: caveat.OzWorker, ID: "onezone"}, {Type: caveat.OpPanel, ID: "*"}, {Type: caveat.OpWorker}, {Type: caveat.OzPanel, ID: "a-b c"}},
			json:  `{"type":"service","whitelist":["ozw-onezone","opp-*","opw-","ozp-a-b c"]}`,
		},
		{
			text:  "consumer = usr-a|grp-*|prv-p|nobody|usr-",
			value: caveat.Consumers{caveat.User("a"), caveat.Group("*"), caveat.Provider("p"), caveat.Nobody(), caveat.User("")},
			json:  `{"type":"consumer","whitelist":["usr-a","grp-*","prv-p","nobody","usr-"]}`,
		},
	})
	unknownTexts(t,
		"service = ", "service = ozw", "service = xyz-1", "service = OPW-1", "service = opw-a|", "service = |opw-a",
		"service = opw-a||opw-b", "service = all-x", "service = op_worker-x", "service != opw-a", "service",
		"consumer = ", "consumer = root", "consumer = usr", "consumer = USR-x", "consumer = usr-a|", "consumer = |usr-a",
		"consumer = nobody-x", "consumer = nobody ", "consumer = unknown", "consumer != usr-a")
}

func TestServicesHold(t *testing.T) {
	at := func(typ caveat.ServiceType, id string) *caveat.Request {
		return &caveat.Request{Service: caveat.Service{Type: typ, ID: id}}
	}
	for _, c := range []struct {
		text string
		req  *caveat.Request
		want bool
	}{
		{"service = opw-p1", at(caveat.OpWorker, "p1"), true},
		{"service = opw-p1", at(caveat.OpWorker, "p2"), false},
		{"service = opw-p1", at(caveat.OpPanel, "p1"), false},
		{"service = ozw-x|opw-p1", at(caveat.OpWorker, "p1"), true},
		{"service = opw-*", at(caveat.OpWorker, "p2"), true},
		{"service = opw-*", at(caveat.OpWorker, ""), true},
		{"service = opw-*", at(caveat.OpPanel, "p2"), false},
		// Only "*" as a whole id in the caveat is a wildcard.
		{"service = opw-p1", at(caveat.OpWorker, "*"), false},
		{"service = opw-p*", at(caveat.OpWorker, "p1"), false},
		{"service = opw-", at(caveat.OpWorker, ""), true},
		{"service = opw-", at(caveat.OpWorker, "p1"), false},
		{"service = opw-*|opp-*|ozw-*|ozp-*|opw-", &caveat.Request{}, false},
	} {
		holds(t, c.want, c.text, c.req)
	}
	zero := caveat.Services{{}}
	requireUnverified(t, caveat.Check(t.Context(), zero, &caveat.Request{}), zero)
}

func TestNewServices(t *testing.T) {
	one := func(id string) caveat.Services { return caveat.Services{{Type: caveat.OpWorker, ID: id}} }
	testNew(t, []newCase{
		{one("p1"), ""},
		{one("*"), ""},
		{one("a b-ż"), ""},
		{caveat.Services{}, "the list must not be empty"},
		{caveat.Services{{}}, "every service must be"},
		{caveat.Services{{Type: 5, ID: "x"}}, "every service must be"},
		{one(""), "an id must not be empty"},
		{one("a|opw-b"), "an id must not hold"},
		{one("a/b"), "an id must not hold"},
		{one("a\nb"), "an id must not hold"},
		{one("a\x00"), "an id must not hold"},
		{one("a\x7f"), "an id must not hold"},
		{one("a\u0085"), "an id must not hold"},
		{one("a\xff"), "valid UTF-8"},
		{one("a\uFFFD"), "valid UTF-8"},
	})
}

func TestConsumersHold(t *testing.T) {
	for _, c := range []struct {
		text     string
		consumer caveat.Subject
		want     bool
	}{
		{"consumer = usr-u1", caveat.User("u1"), true},
		{"consumer = usr-u1", caveat.User("u2"), false},
		{"consumer = usr-u1", caveat.Provider("u1"), false},
		{"consumer = usr-u1", caveat.Group("u1"), false},
		{"consumer = prv-p1|usr-u1", caveat.User("u1"), true},
		{"consumer = usr-*", caveat.User("u2"), true},
		{"consumer = usr-*", caveat.Provider("p1"), false},
		{"consumer = usr-*", caveat.Nobody(), false},
		{"consumer = usr-*|prv-*|grp-*|nobody", caveat.Subject{}, false},
		{"consumer = prv-*", caveat.Provider("p1"), true},
		{"consumer = prv-*", caveat.User("p1"), false},
		{"consumer = usr-u1", caveat.User("*"), false},
		{"consumer = nobody", caveat.Nobody(), true},
		{"consumer = nobody", caveat.User("u1"), false},
		{"consumer = usr-", caveat.User(""), true},
		{"consumer = usr-", caveat.Nobody(), false},
		// Without a checker no group entry matches, but other entries do.
		{"consumer = grp-g1", caveat.User("u1"), false},
		{"consumer = grp-*", caveat.User("u1"), false},
		{"consumer = grp-g1", caveat.Group("g1"), false},
		{"consumer = grp-g1|usr-u1", caveat.User("u1"), true},
	} {
		holds(t, c.want, c.text, &caveat.Request{Consumer: c.consumer})
	}
}

func TestConsumersAskForMembers(t *testing.T) {
	for _, c := range []struct {
		name, text string
		consumer   caveat.Subject
		groups     []string // the groups of the consumer
		failing    string   // the group for which the checker fails
		want       bool
		asked      []string
	}{
		{"a member", "consumer = grp-g1", caveat.User("u1"), []string{"g1"}, "", true, []string{"usr-u1 in g1"}},
		{"not a member", "consumer = grp-g2", caveat.User("u1"), []string{"g1"}, "", false, []string{"usr-u1 in g2"}},
		{"of any group", "consumer = grp-*", caveat.User("u1"), []string{"*"}, "", true, []string{"usr-u1 in *"}},
		{"the checker decides about others", "consumer = grp-g1", caveat.Provider("p1"), []string{"g1"}, "", true, []string{"prv-p1 in g1"}},
		{"in order", "consumer = grp-g1|grp-g2|grp-g3", caveat.User("u1"), []string{"g2", "g3"}, "", true, []string{"usr-u1 in g1", "usr-u1 in g2"}},
		{"a match before is enough", "consumer = usr-u1|grp-g1", caveat.User("u1"), nil, "g1", true, nil},
		{"a match behind is enough", "consumer = grp-g1|usr-u1", caveat.User("u1"), nil, "g1", true, nil},
		{"a failure refuses what follows", "consumer = grp-g1|grp-g2", caveat.User("u1"), []string{"g2"}, "g1", false, []string{"usr-u1 in g1"}},
		{"a failure refuses a yes", "consumer = grp-g1", caveat.User("u1"), []string{"g1"}, "g1", false, []string{"usr-u1 in g1"}},
		{"an unknown consumer is not asked about", "consumer = grp-*", caveat.Subject{}, []string{"*"}, "", false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			groups := &membership{groups: map[string]bool{}, err: map[string]error{c.failing: errDown}}
			for _, g := range c.groups {
				groups.groups[g] = true
			}
			consumers := parseAll(t, c.text)[0]
			err := caveat.Check(t.Context(), consumers, &caveat.Request{Consumer: c.consumer, Groups: groups})
			assert.Equal(t, c.asked, groups.asked)
			if c.want {
				require.NoError(t, err)
				return
			}
			requireUnverified(t, err, consumers)
			assert.Equal(t, c.failing != "", errors.Is(err, errDown))
		})
	}
}

func TestNewConsumers(t *testing.T) {
	testNew(t, []newCase{
		{caveat.Consumers{caveat.User("u1"), caveat.Group("*"), caveat.Provider("p1")}, ""},
		{caveat.Consumers{}, "the list must not be empty"},
		{caveat.Consumers{caveat.User("u1"), caveat.Nobody()}, "every consumer must be"},
		{caveat.Consumers{{}}, "every consumer must be"},
		{caveat.Consumers{{Type: 9, ID: "x"}}, "every consumer must be"},
		{caveat.Consumers{caveat.User("")}, "an id must not be empty"},
		{caveat.Consumers{caveat.User("a|b")}, "an id must not hold"},
		{caveat.Consumers{caveat.User("a/b")}, "an id must not hold"},
		{caveat.Consumers{caveat.User("a\tb")}, "an id must not hold"},
	})
}
