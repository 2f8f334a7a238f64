package general

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/internal/strictjson"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// Problems of macaroons in JSON.
const (
	badJSON    = "its JSON is malformed, or a key is repeated"
	badKey     = "a key of its JSON is unknown or misspelled"
	badValue   = "a value of its JSON is missing, or is not of the type of its key"
	badBase64  = "a value of its JSON is not base64"
	badHex     = "its signature is not 64 lowercase hexadecimal digits"
	tooMany    = "it contains too many caveats"
	badSize    = "its signature is not 32 bytes"
	notLocated = "a first-party caveat has a location"
)

// object is a JSON object. Its methods take a member out and return its value,
// and keep the first problem.
type object struct {
	members map[string]json.RawMessage
	problem string
}

func readObject(data []byte) *object {
	members, err := strictjson.Parse(data)
	if err != nil || members == nil {
		return &object{problem: badJSON}
	}
	return &object{members: members}
}

func (o *object) fail(problem string) {
	if o.problem == "" {
		o.problem = problem
	}
}

// has reports whether there is a member with the key.
func (o *object) has(key string) bool {
	_, ok := o.members[key]
	return ok
}

// take returns a member that is a string, "" if it is missing.
func (o *object) take(key string) string {
	if !o.has(key) {
		return ""
	}
	text, ok := strictjson.Text(o.members[key])
	if !ok {
		o.fail(badValue)
	}
	delete(o.members, key)
	return text
}

// needs returns a member that is a nonempty string.
func (o *object) needs(key string) string {
	text := o.take(key)
	if text == "" {
		o.fail(badValue)
	}
	return text
}

// optional64 returns a member that is base64, "" if it is missing.
func (o *object) optional64(key string) string {
	if !o.has(key) {
		return ""
	}
	raw, ok := wire.DecodePlain(o.needs(key))
	if !ok {
		o.fail(badBase64)
	}
	return raw
}

// optional returns the member key, or key+"64" in base64; "" if both are missing.
func (o *object) optional(key string) string {
	if o.has(key + "64") { // end refuses both
		return o.optional64(key + "64")
	}
	if o.has(key) {
		return o.needs(key)
	}
	return ""
}

// required is like optional, for a member that must be there.
func (o *object) required(key string) string {
	value := o.optional(key)
	if value == "" {
		o.fail(badValue)
	}
	return value
}

// objects returns a member that is a list of at most limit objects, nil if it is
// missing.
func (o *object) objects(key string, limit int) (list []*object) {
	if !o.has(key) {
		return nil
	}
	elements, ok := strictjson.Elements(o.members[key], limit)
	switch delete(o.members, key); {
	case !ok:
		o.fail(badValue)
		return nil
	case len(elements) > limit:
		o.fail(tooMany)
		return nil
	}
	for _, element := range elements {
		list = append(list, readObject(element))
	}
	return list
}

// end adds the problems of another object, all members of which must have been
// taken.
func (o *object) end(inner *object) {
	if len(inner.members) > 0 {
		inner.fail(badKey)
	}
	if inner.problem != "" {
		o.fail(inner.problem)
	}
}

// parseJSON parses a macaroon in V1JSON or V2JSON.
func parseJSON(data []byte, maxCaveats int) (c *content, problem string) {
	o := readObject(data)
	if o.has("identifier") {
		c = o.version1(maxCaveats)
	} else {
		c = o.version2(maxCaveats)
	}
	if o.end(o); o.problem != "" {
		return nil, o.problem
	}
	if len(c.signature) != mac.Size {
		return nil, badSize
	}
	if c.readAs == V1JSON {
		_, problem = wire.Append(nil, &c.Macaroon, c.signature)
	}
	return c, problem
}

func (o *object) version1(maxCaveats int) *content {
	c := &content{readAs: V1JSON}
	c.Location, c.Identifier = o.take("location"), o.needs("identifier")
	for _, each := range o.objects("caveats", maxCaveats) {
		c.add(each, each.needs("cid"), each.optional64("vid"), each.take("cl"))
		o.end(each)
	}
	digits := o.needs("signature")
	signature, err := hex.DecodeString(digits)
	if err != nil || strings.ToLower(digits) != digits {
		o.fail(badHex)
	}
	c.signature = string(signature)
	return c
}

func (o *object) version2(maxCaveats int) *content {
	c := &content{readAs: V2JSON}
	if o.has("v") {
		if string(bytes.TrimSpace(o.members["v"])) != "2" {
			o.fail(badValue)
		}
		delete(o.members, "v")
	}
	c.Location, c.Identifier = o.take("l"), o.required("i")
	for _, each := range o.objects("c", maxCaveats) {
		c.add(each, each.required("i"), each.optional("v"), each.take("l"))
		o.end(each)
	}
	c.signature = o.required("s")
	return c
}

// add appends a caveat that was read from an object.
func (c *content) add(from *object, text, verification, location string) {
	switch {
	case verification != "":
		c.ThirdParty = append(c.ThirdParty, wire.ThirdParty{
			Index: len(c.Caveats), Verification: verification, Location: location,
		})
	case location != "":
		from.fail(notLocated)
	}
	c.Caveats = append(c.Caveats, text)
}
