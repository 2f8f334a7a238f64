package caveat

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
)

// attemptJSON is the JSON form of an [Attempt]. All members are optional. The
// address and the consumer are null if they are unknown.
type attemptJSON struct {
	Time       *int64          `json:"time,omitempty"` // Unix seconds
	PeerIP     *string         `json:"peerIp"`
	Interface  string          `json:"interface,omitempty"`
	Service    string          `json:"service,omitempty"`                // "opw-ID"
	Consumer   *string         `json:"consumer"`                         // "usr-ID"
	SessionID  json.RawMessage `json:"sessionId,omitempty"`              // null: none; missing: any
	DataAccess *bool           `json:"allowDataAccessCaveats,omitempty"` // missing: whether there is an access
	Identity   bool            `json:"proveIdentity,omitempty"`
	Operation  string          `json:"operation,omitempty"`
	Resource   string          `json:"resource,omitempty"` // GRI
	API        string          `json:"api,omitempty"`      // "op_worker"
	Access     string          `json:"access,omitempty"`   // "read" or "write"
	Path       string          `json:"path,omitempty"`
	ObjectIDs  []string        `json:"objectIds,omitempty"`
}

var accessNames = []string{Read: "read", Write: "write"}

// String returns "read" or "write", "unknown" for zero.
func (a Access) String() string { return nameOf(accessNames, a) }

// MarshalJSON returns the JSON form that UnmarshalJSON reads. It omits what has
// none: party tokens, resolvers, the vocabulary and Ignored.
func (a Attempt) MarshalJSON() ([]byte, error) {
	v := attemptJSON{Identity: a.ProveIdentity, Path: a.File.Path, ObjectIDs: a.File.ObjectIDs}
	if a.DataAccess != (a.Access != 0) {
		v.DataAccess = &a.DataAccess
	}
	if !a.Now.IsZero() {
		v.Time = new(a.Now.Unix())
	}
	if a.IP.IsValid() {
		v.PeerIP = new(a.IP.String())
	}
	if a.Interface != 0 {
		v.Interface = a.Interface.Name()
	}
	if !a.Service.IsZero() {
		v.Service = a.Service.String()
	}
	if !a.Consumer.IsZero() {
		v.Consumer = new(a.Consumer.String())
	}
	switch {
	case a.Session.any:
	case a.Session.id == "":
		v.SessionID = json.RawMessage("null")
	default:
		v.SessionID, _ = json.Marshal(a.Session.id) // a string never fails
	}
	if a.Operation != 0 {
		v.Operation, v.Resource = a.Operation.String(), a.Resource.String()
	}
	if a.API != 0 {
		v.API = a.API.String()
	}
	if a.Access != 0 {
		v.Access = a.Access.String()
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads an object whose members are all optional; others are
// ignored. The address, interface, service ("opw-ID") and consumer ("usr-ID")
// are unknown without their member, and the session is any one. The address and
// the consumer may also be null. If there is an
// access, allowDataAccessCaveats is true by default.
//
// Errors: malformedData; badData, badValueInteger, badValueTooLow,
// badValueIPv4Address, badValueString, badValueBoolean, badValueNotAllowed and
// badValueListOfStrings with the key of the member; badGRI; badValueFilePath.
func (a *Attempt) UnmarshalJSON(data []byte) error {
	o, err := strictjson.Parse(data)
	if err == nil && o == nil {
		err = errors.MalformedData()
	}
	if err != nil {
		return err
	}
	r := attemptReader{o: o}
	var read Attempt
	if r.has("time") {
		read.Now = time.Unix(r.seconds("time"), 0).UTC()
	}
	read.IP = r.address("peerIp")
	read.Interface = readMember(&r, "interface", ParseInterface)
	read.Service = readMember(&r, "service", ParseService)
	if string(o["consumer"]) != "null" {
		read.Consumer = readMember(&r, "consumer", ParseSubject)
	}
	read.Session = r.session("sessionId")
	read.ProveIdentity = r.boolean("proveIdentity", false)
	read.Operation = readMember(&r, "operation", ParseOperation)
	if read.Operation != 0 {
		read.Resource = readMember(&r, "resource", ParseGRI)
	}
	read.API = readMember(&r, "api", parseServiceName)
	read.Access = readMember(&r, "access", parseAccess)
	read.DataAccess = r.boolean("allowDataAccessCaveats", read.Access != 0)
	read.File = File{Path: r.text("path"), ObjectIDs: r.texts("objectIds")}
	if err := cmp.Or(r.err, read.Validate()); err != nil {
		return err
	}
	*a = read
	return nil
}

func parseServiceName(name string) (t ServiceType, err error) {
	if t.UnmarshalText([]byte(name)) != nil {
		err = errors.BadValueNotAllowed("api", serviceNames[OzWorker:anyService]...)
	}
	return t, err
}

func parseAccess(name string) (Access, error) {
	a, ok := valueOf[Access](accessNames, name)
	if !ok {
		return 0, errors.BadValueNotAllowed("access", accessNames[Read:]...)
	}
	return a, nil
}

// attemptReader reads the members of an object. After the first bad member all
// others read as zero.
type attemptReader struct {
	o   object
	err error
}

func (r *attemptReader) has(key string) bool { return r.err == nil && r.o.has(key) }

// fail keeps the first error.
func (r *attemptReader) fail(err error) { r.err = cmp.Or(r.err, err) }

// text reads a string, "" if it is missing.
func (r *attemptReader) text(key string) string {
	if !r.has(key) {
		return ""
	}
	s, ok := r.o.text(key)
	if !ok {
		r.fail(errors.BadValueString(key))
	}
	return s
}

// readMember reads a string with parse, zero if it is missing.
func readMember[T any](r *attemptReader, key string, parse func(string) (T, error)) (v T) {
	if !r.has(key) {
		return v
	}
	s := r.text(key)
	if r.err != nil {
		return v
	}
	read, err := parse(s)
	if err != nil {
		r.fail(err)
		return v
	}
	return read
}

// maxSeconds is the last second of the year 9999, so that no computation with
// times overflows.
const maxSeconds = 253402300799

func (r *attemptReader) seconds(key string) int64 {
	n, ok := integer(r.o[key])
	switch {
	case !ok:
		r.fail(errors.BadValueInteger(key))
	case n < 0:
		r.fail(errors.BadValueTooLow(key, 0))
	case n > maxSeconds:
		r.fail(errors.BadDataHint(key, "it must be a time before the year 10000, in Unix seconds"))
	}
	return n
}

func (r *attemptReader) address(key string) netip.Addr {
	if !r.has(key) || string(r.o[key]) == "null" {
		return netip.Addr{}
	}
	s, _ := r.o.text(key)
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		r.fail(errors.BadValueIPv4Address(key))
	}
	return addr.Unmap()
}

func (r *attemptReader) session(key string) Session {
	switch {
	case !r.has(key):
		return AnySession()
	case string(r.o[key]) == "null":
		return Session{}
	}
	id := r.text(key)
	if id == "" {
		r.fail(errors.BadValueString(key))
	}
	return InSession(id)
}

func (r *attemptReader) boolean(key string, def bool) bool {
	if !r.has(key) {
		return def
	}
	raw := string(r.o[key])
	if raw != "true" && raw != "false" {
		r.fail(errors.BadValueBoolean(key))
	}
	return raw == "true"
}

// maxObjectIDs bounds the object ids of one file, as many as directories fit in
// a path.
const maxObjectIDs = 4096

func (r *attemptReader) texts(key string) []string {
	if !r.has(key) {
		return nil
	}
	raw, ok := strictjson.Elements(r.o[key], maxObjectIDs)
	list, texts := readTexts(raw, verbatim)
	if !ok || !texts && len(raw) > 0 || len(list) > maxObjectIDs {
		r.fail(errors.BadValueListOfStrings(key))
	}
	return list
}
