package restcases

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// field is a member of a request body and its invalid values.
type field struct {
	key      string
	required bool
	with     object // other members that the body must have so that the field is checked
	bad      []bad
}

// bad is an invalid JSON value and its error.
type bad struct {
	value string
	want  *errors.Error
}

func each(want *errors.Error, values ...string) []bad {
	list := make([]bad, len(values))
	for i, v := range values {
		list[i] = bad{v, want}
	}
	return list
}

func join(lists ...[]bad) (all []bad) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func tokenField(key string, required bool) field {
	return field{key: key, required: required, bad: join(
		each(errors.BadValueToken(key, errors.BadToken("")),
			`null`, `5`, `true`, `{}`, `[]`, `"x"`, `"ozw-MDAy"`, `"MDAyMWxvY2F0\n"`, `"not a token"`, `"\u0000"`),
		each(errors.BadValueEmpty(key), `""`),
		each(errors.BadValueToken(key, errors.TokenTooLarge(macaroon.DefaultMaxSize)),
			`"`+strings.Repeat("M", macaroon.DefaultMaxSize+1)+`"`))}
}

func booleanField(key string) field {
	return field{key: key, bad: each(errors.BadValueBoolean(key), `null`, `"true"`, `0`, `1`, `{}`, `[]`)}
}

func interfaceField() field {
	const key = "interface"
	return field{key: key, bad: join(
		each(errors.BadValueString(key), `5`, `{}`, `[]`, `["rest"]`),
		each(errors.BadValueNotAllowed(key, "rest", "oneclient", "graphsync"), `null`, `true`, `false`, `""`, `"REST"`, `"rest "`, `"unknown"`))}
}

func peerField() field {
	const key = "peerIp"
	return field{key: key, bad: each(errors.BadValueIPv4Address(key), `5`, `true`, `{}`, `[]`, `""`, `"1.2.3"`, `"1.2.3.4.5"`,
		`"01.2.3.4"`, `"1.2.3.256"`, `"+1.2.3.4"`, `" 1.2.3.4"`, `"::1"`, `"::ffff:1.2.3.4"`, `"1.2.3.4/32"`, `"localhost"`)}
}

func inviteTypeField() field {
	const key = "expectedInviteType"
	return field{key: key, bad: each(errors.BadValueInviteType(key), `null`, `true`, `5`, `{}`, `[]`, `""`, `"any"`, `"UserJoinGroup"`, `"ujg"`)}
}

func nameField(required bool) field {
	const key = "name"
	return field{key: key, required: required, bad: join(
		each(errors.BadValueString(key), `5`, `5.5`, `{}`, `[]`, `["ab"]`),
		each(errors.BadValueName(), `null`, `""`, `"a"`, `" ab"`, `"ab "`, `"a\tb"`, `"a\u0000b"`, `"a/b"`, `"-ab"`, `"ab."`, `"a\u0301b"`,
			`"\ud83d\ude00ab"`, `"a\udbff\udfffb"`, `"`+strings.Repeat("a", 129)+`"`))}
}

func customField() field {
	const key = "customMetadata"
	return field{key: key, bad: each(errors.BadValueJSON(key), `null`, `true`, `5`, `"{}"`, `[]`, `[{}]`)}
}

func baitField() field {
	const key = "bait"
	return field{key: key, bad: each(errors.BadValueNotAllowed(key, "alarm", "revokeFamily"), `true`, `0`, `1`, `""`, `"Alarm"`, `"none"`, `{}`, `[]`)}
}

func caveatsField(key string) field {
	f := field{key: key, bad: each(errors.BadData(key), `null`, `true`, `5`, `"time < 5"`, `{}`, `{"0":{"type":"data.readonly"}}`)}
	for _, item := range []string{
		`"time < 5"`, `{}`, `{"type":"moon"}`, `{"type":"unknown","text":"x"}`, `{"type":"time"}`, `{"type":"time","validUntil":5.0}`,
		`{"type":"time","validUntil":"5"}`, `{"type":"time","validUntil":null}`, `{"type":"time","validUntil":-1}`,
		`{"type":"ip","whitelist":[]}`, `{"type":"ip","whitelist":["1.2.3"]}`, `{"type":"ip","whitelist":["1.2.3.4/33"]}`,
		`{"type":"asn","whitelist":["5"]}`, `{"type":"asn","whitelist":[5.5]}`, `{"type":"asn","whitelist":[-5]}`,
		`{"type":"geo.country","filter":"x","list":["PL"]}`, `{"type":"geo.country","filter":"whitelist","list":["POL"]}`,
		`{"type":"geo.region","filter":"whitelist","list":["Atlantis"]}`, `{"scope":"everything"}`,
		`{"type":"service","whitelist":["x-1"]}`, `{"type":"service","whitelist":"opw-x"}`, `{"type":"service","whitelist":["opw-a|b"]}`,
		`{"type":"consumer","whitelist":["nobody"]}`, `{"type":"consumer","whitelist":["usr-a/b"]}`,
		`{"type":"interface","interface":"gui"}`, `{"type":"api","whitelist":["ozw/get"]}`, `{"type":"api","whitelist":["ozw/get/user.*.*:*|"]}`,
		`{"type":"data.path","whitelist":["/space"]}`, `{"type":"data.path","whitelist":["Lw=="]}`, `{"type":"data.path","whitelist":["L3MvLi4vdA=="]}`,
		`{"type":"data.objectid","whitelist":["00"]}`,
	} {
		f.bad = append(f.bad, bad{`[` + item + `]`, errors.BadValueCaveat(json.RawMessage(item))})
	}
	for _, item := range []string{`5`, `null`, `true`, `[]`} {
		f.bad = append(f.bad, bad{`[{"type":"data.readonly"},` + item + `]`, errors.BadValueCaveat(item)})
	}
	return f
}

// caveatList returns a list of n valid caveats in JSON.
func caveatList(n int) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"type":"time","validUntil":%d}`, 1727784000+3600+i)
	}
	return `[` + strings.Join(items, `,`) + `]`
}

// typeField returns the token type with its invalid values for a user or a
// Oneprovider.
func typeField() field {
	const key = "type"
	return field{key: key, bad: each(errors.BadValueTokenType(key), `null`, `true`, `5`, `"accessToken"`, `[]`, `[{"accessToken":{}}]`)}
}

// badTypes are objects that are not token types.
var badTypes = []string{
	`{}`, `{"accessToken":null}`, `{"accessToken":{"x":1}}`, `{"accessToken":{"sessionId":5}}`, `{"accessToken":{"sessionId":""}}`,
	`{"accessToken":{"sessionId":null}}`, `{"AccessToken":{}}`, `{"inviteToken":{}}`, `{"inviteToken":{"inviteType":"any","groupId":"g"}}`,
	`{"inviteToken":{"inviteType":"userJoinGroup"}}`, `{"inviteToken":{"inviteType":"userJoinGroup","spaceId":"s"}}`,
	`{"inviteToken":{"inviteType":"userJoinGroup","groupId":""}}`, `{"inviteToken":{"inviteType":"userJoinGroup","groupId":"a:b"}}`,
	`{"inviteToken":{"inviteType":"userJoinGroup","groupId":5}}`,
}

// invitation returns the type of an invite token in JSON.
func invitation(inviteType, key, target string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"inviteToken":{"inviteType":%q,%q:%q}}`, inviteType, key, target))
}

// usageLimitField and privilegesField are checked only for invite tokens.
func usageLimitField(kind string) field {
	const key = "usageLimit"
	_, possible := possibleInvitation(kind)
	return field{key: key, with: object{"type": possible}, bad: join(
		each(errors.BadValueInteger(key), `null`, `true`, `5.0`, `1e1`, `"5.0"`, `""`, `"x"`, `" 5"`, `"Infinity"`, `[]`, `{}`),
		each(errors.BadValueTooLow(key, 1), `0`, `-0`, `-1`, `"0"`, `"-5"`, `-99999999999999999999`))}
}

func privilegesField(kind string) field {
	const key = "privileges"
	invite, possible := possibleInvitation(kind)
	return field{key: key, with: object{"type": possible}, bad: join(
		each(errors.BadValueListOfStrings(key), `null`, `true`, `5`, `"group_view"`, `{}`, `[5]`, `["group_view",{}]`, `[[]]`, `["nope",5]`),
		each(errors.BadValueListNotAllowed(key, invite.AllowedPrivileges()...), `["nope"]`, `[""]`, `["group_view","space_view"]`, `[true]`, `[false]`, `[null]`, `["Group_view"]`))}
}

// possibleInvitation returns an invitation that a user or Oneprovider may
// issue.
func possibleInvitation(kind string) (macaroon.InviteType, json.RawMessage) {
	if kind == "user" {
		return macaroon.UserJoinGroup, invitation("userJoinGroup", "groupId", "g-1")
	}
	return macaroon.UserJoinCluster, invitation("userJoinCluster", "clusterId", Krakow.ID)
}

func namedFields(kind string) []field {
	return []field{nameField(true), caveatsField("caveats"), customField(), privilegesField(kind), booleanField("revoked"), typeField(), baitField(), usageLimitField(kind)}
}

func temporaryFields(string) []field { return []field{caveatsField("caveats"), typeField()} }

func patchFields() []field {
	return []field{customField(), nameField(false), booleanField("revoked"), caveatsField("serverCaveats"), baitField()}
}

// forbiddenService returns the error of a token that is limited to a service
// that its subject may not use.
func forbiddenService(t caveat.ServiceType, id string) *errors.Error {
	return errors.TokenServiceForbidden(caveat.Service{Type: t, ID: id})
}
