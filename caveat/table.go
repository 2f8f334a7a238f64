package caveat

import (
	"context"
	"reflect"
	"slices"
	"strings"
)

// row describes one type of caveat. Parsing, JSON, the values that are accepted
// as caveats, the list of types and the support matrix are derived from the
// rows. The methods of the caveat print and decide it.
type row struct {
	typ  Type
	head string // the first word of the text
	zero Caveat // a value of the Go type
	uses []Use  // the uses of tokens that support the caveat
	rank int    // the position in an offline access token; 0 if it is dropped

	// text and object are the two forms as error descriptions show them.
	text, object string

	// parse parses the text after the head.
	parse func(rest string) (Caveat, bool)
	// read decodes the object form. A list may have most entries; read may
	// return one more, which the caller rejects. problem is notThisForm if the
	// object lacks keys that every caveat of the type has.
	read func(o object, most int) (c Caveat, problem string)
	// key is the key by which the object form is recognized; "" if by its type.
	key string

	// narrow derives the tightest caveat that may let all attempts through; ok
	// is false if the attempts do not tell. It decides nothing: [Narrow] does.
	narrow func(ctx context.Context, r Recording) (p Proposal, ok bool)
}

// notThisForm reports an object that lacks the keys of the type.
const notThisForm = "it lacks keys of its type"

// rows is the Onezone language, in the order of its documentation. Object forms
// are tried in this order, too.
var rows = []row{
	{typ: TypeTime, head: "time", zero: Time{}, uses: everyUse,
		text: `time < SECONDS`, object: `{"type":"time","validUntil":SECONDS}`,
		parse: parseTime, read: readTime, narrow: narrowTime},
	{typ: TypeIP, head: "ip", zero: IP{}, uses: everyUse,
		text: `ip = A.B.C.D/LENGTH|...`, object: `{"type":"ip","whitelist":["A.B.C.D/LENGTH",...]}`,
		parse: listText[IP](parseMask), read: listJSON[IP](parseMask), narrow: narrowIP},
	{typ: TypeASN, head: "asn", zero: ASN{}, uses: everyUse,
		text: `asn = NUMBER|...`, object: `{"type":"asn","whitelist":[NUMBER,...]}`,
		parse: listText[ASN](parseASN), read: readASN, narrow: narrowASN},
	{typ: TypeCountry, head: "geo.country", zero: Country{}, uses: everyUse,
		text: `geo.country = CODE|..., or != for all others`, object: `{"type":"geo.country","filter":"whitelist" or "blacklist","list":["CODE",...]}`,
		parse: placesText(newCountry), read: placesJSON(newCountry), narrow: narrowCountry},
	{typ: TypeRegion, head: "geo.region", zero: Region{}, uses: everyUse,
		text: `geo.region = NAME|..., or != for all others`, object: `{"type":"geo.region","filter":"whitelist" or "blacklist","list":["NAME",...]}`,
		parse: placesText(newRegion), read: placesJSON(newRegion), narrow: narrowRegion},
	{typ: TypeIdentityOnly, head: "authorization", zero: IdentityOnly{}, uses: []Use{UseAccessAsIdentity},
		text: `authorization = none`, object: `{"scope":"identityToken"}`,
		parse: constant(IdentityOnly{}), read: readIdentityOnly, key: "scope", narrow: narrowIdentity},
	{typ: TypeService, head: "service", zero: Services{}, uses: onlyAccess,
		text: `service = opw-ID|...`, object: `{"type":"service","whitelist":["opw-ID",...]}`,
		parse: listText[Services](ParseService), read: listJSON[Services](ParseService), narrow: narrowServices},
	{typ: TypeConsumer, head: "consumer", zero: Consumers{}, uses: everyUse,
		text: `consumer = usr-ID|...`, object: `{"type":"consumer","whitelist":["usr-ID",...]}`,
		parse: listText[Consumers](ParseSubject), read: listJSON[Consumers](ParseSubject), narrow: narrowConsumers},
	{typ: TypeInterface, head: "interface", zero: REST, uses: []Use{UseAccess, UseAccessAsIdentity, UseIdentity}, rank: 5,
		text: `interface = rest, oneclient or graphsync`, object: `{"type":"interface","interface":"rest", "oneclient" or "graphsync"}`,
		parse: parseInterface, read: readInterface, narrow: narrowInterface},
	{typ: TypeAPI, head: "api", zero: API{}, uses: onlyAccess, rank: 2,
		text: `api = SERVICE/OPERATION/GRI|...`, object: `{"type":"api","whitelist":["SERVICE/OPERATION/GRI",...]}`,
		parse: listText[API](ParseMatchSpec), read: listJSON[API](ParseMatchSpec), narrow: narrowAPI},
	{typ: TypeDataReadonly, head: "data.readonly", zero: DataReadonly{}, uses: onlyAccess, rank: 1,
		text: `data.readonly`, object: `{"type":"data.readonly"}`,
		parse: constant(DataReadonly{}), read: readReadonly, narrow: narrowReadonly},
	{typ: TypeDataPath, head: "data.path", zero: DataPath{}, uses: onlyAccess, rank: 4,
		text: `data.path = BASE64|...`, object: `{"type":"data.path","whitelist":["BASE64",...]}`,
		parse: parseDataPath, read: listJSON[DataPath](strictPath), narrow: narrowPath},
	{typ: TypeDataObjectID, head: "data.objectid", zero: DataObjectID{}, uses: onlyAccess, rank: 3,
		text: `data.objectid = ID|...`, object: `{"type":"data.objectid","whitelist":["ID",...]}`,
		parse: listText[DataObjectID](verbatim), read: listJSON[DataObjectID](verbatim), narrow: narrowObjectID},
}

// table indexes the rows of a language.
type table struct {
	rows   []row
	byHead map[string]*row
	byType map[Type]*row
	byGo   map[reflect.Type]*row
}

func newTable(rows []row) *table {
	t := &table{rows, make(map[string]*row), make(map[Type]*row), make(map[reflect.Type]*row)}
	for i := range rows {
		r := &rows[i]
		t.byHead[r.head], t.byType[r.typ], t.byGo[reflect.TypeOf(r.zero)] = r, r, r
	}
	return t
}

// language is the table of the Onezone language.
var language = newTable(rows)

// normalize returns c if it is a value of the table or of an application's
// kind, and an [Unknown] otherwise: for nil, the zero [Custom], a pointer to a
// caveat and a struct that embeds one. Type switches would miss those and allow
// what the caveat forbids.
func (t *table) normalize(c Caveat) Caveat {
	if t.byGo[reflect.TypeOf(c)] != nil {
		return c
	}
	switch v := c.(type) {
	case Unknown:
		return c
	case Custom:
		if v.kind != nil {
			return c
		}
	}
	return Unknown("")
}

// Use is the purpose of a token, which decides which caveats it can carry.
type Use uint8

// The uses of tokens. The zero Use is invalid and supports no caveat of the
// Onezone language.
const (
	UseAccess           Use = iota + 1 // an access token authorizes an operation
	UseAccessAsIdentity                // an access token proves an identity
	UseIdentity                        // an identity token proves an identity
	UseInvite                          // an invite token is consumed
)

var (
	everyUse   = []Use{UseAccess, UseAccessAsIdentity, UseIdentity, UseInvite}
	onlyAccess = []Use{UseAccess}
)

// SupportedBy reports whether a token with this use may carry caveats of the
// type. Caveats that limit what a token authorizes are refused in tokens that
// authorize nothing. The kinds of applications are supported by every use, and
// so are unknown types, which never hold.
func (t Type) SupportedBy(u Use) bool {
	r := language.byType[t]
	return r == nil || r.supports(u)
}

func (r *row) supports(u Use) bool {
	return slices.Contains(r.uses, u)
}

// constant returns the parser of a caveat that has only one text.
func constant(c Caveat) func(rest string) (Caveat, bool) {
	_, tail, _ := strings.Cut(c.String(), " ")
	if tail != "" {
		tail = " " + tail
	}
	return func(rest string) (Caveat, bool) { return c, rest == tail }
}
