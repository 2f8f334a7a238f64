package macaroonrequest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/internal/strictjson"
)

// wish is what a request asks for.
type wish struct {
	now   time.Time
	path  string      // "" for all files
	times []time.Time // by which the token expires
	ips   []caveat.IP
	// activities are those that all activity caveats name; nil without one.
	activities []string
}

// requestedPath returns the path of the file, "" for all files. An escaped
// slash is refused: servers disagree on whether it separates names.
func requestedPath(u *url.URL) (string, error) {
	if strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return "", errors.BadDataHint("path", "the names in the path must not contain slashes")
	}
	return strings.TrimSuffix("/"+strings.TrimPrefix(u.Path, "/"), "/"), nil
}

// read reads the body of a request. An empty one asks for nothing.
func (w *wish) read(body []byte) error {
	if len(body) == 0 {
		return nil
	}
	members, err := strictjson.Parse(body)
	if err != nil {
		return err
	}
	if members == nil {
		return errors.BadDataHint("body", `expected an object such as {"caveats":["activity:DOWNLOAD,LIST"],"validity":"PT1H"}`)
	}
	for name := range members {
		if name != "caveats" && name != "validity" { // misspelled, perhaps, and then the token would allow too much
			return errors.BadDataHint("body", fmt.Sprintf("the member %.100q is unknown: expected caveats and validity", name))
		}
	}
	if err := w.readValidity(members["validity"]); err != nil {
		return err
	}
	return w.readCaveats(members["caveats"])
}

func (w *wish) readValidity(value json.RawMessage) error {
	if value == nil {
		return nil
	}
	text, ok := strictjson.Text(value)
	if !ok {
		return errors.BadDataHint("validity", `expected a string such as "PT1H"`)
	}
	validity, err := duration.ParseISO8601(text)
	if err != nil {
		return errors.BadDataHint("validity", err.Error())
	}
	return w.expire("validity", w.now.Add(validity))
}

// expire limits the lifetime of the token.
func (w *wish) expire(key string, t time.Time) error {
	if t.Unix() <= w.now.Unix() {
		return errors.BadDataHint(key, "the token would expire at once")
	}
	w.times = append(w.times, t)
	return nil
}

func (w *wish) readCaveats(value json.RawMessage) error {
	if value == nil {
		return nil
	}
	list, ok := strictjson.Elements(value, maxBody)
	if !ok {
		return errors.BadDataHint("caveats", `expected a list of strings such as "activity:DOWNLOAD,LIST"`)
	}
	for _, element := range list {
		text, ok := strictjson.Text(element)
		if !ok {
			return errors.BadDataHint("caveats", `expected strings such as "activity:DOWNLOAD,LIST"`)
		}
		if err := w.readCaveat(text); err != nil {
			return err
		}
	}
	return nil
}

func (w *wish) readCaveat(text string) error {
	key, value, _ := strings.Cut(text, ":")
	switch key {
	case "activity":
		return w.readActivities(value)
	case "path":
		return w.readPath(value)
	case "ip":
		return w.readAddresses(value)
	case "before":
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return errors.BadDataHint("caveats", "before: expected a time such as 2026-12-24T18:00:00Z")
		}
		return w.expire("caveats", t)
	}
	return errors.BadDataHint("caveats", fmt.Sprintf(
		"Onezone has no caveat like %.100q: expected activity:, before:, ip: or path:", text))
}

// readPath appends a path to that of the request. As in dCache, the path of a
// caveat is relative to those before, even if it begins with a slash.
func (w *wish) readPath(value string) error {
	path := strings.Trim(value, "/")
	if value == "" || path == "" && value != "/" || strings.HasPrefix(value, "//") || strings.HasSuffix(value, "//") {
		return errors.BadDataHint("caveats", "path: expected a path such as /SPACE/DIRECTORY")
	}
	if path != "" {
		w.path += "/" + path
	}
	return nil
}

func (w *wish) readAddresses(value string) error {
	var masks caveat.IP
	for entry := range strings.SplitSeq(value, ",") {
		entry = strings.TrimSpace(entry)
		mask, err := netip.ParsePrefix(entry)
		if !strings.Contains(entry, "/") {
			var addr netip.Addr
			addr, err = netip.ParseAddr(entry)
			mask = netip.PrefixFrom(addr, addr.BitLen())
		}
		if err != nil || !mask.Addr().Is4() {
			return errors.BadDataHint("caveats", fmt.Sprintf(
				"ip: expected IPv4 addresses and networks such as 192.0.2.0/24, which are those that Onezone knows, instead of %.100q", entry))
		}
		masks = append(masks, mask)
	}
	w.ips = append(w.ips, masks)
	return nil
}

// The activities of dCache. There, each of them implies READ_METADATA.
var (
	reading    = []string{"DOWNLOAD", "LIST"}
	writing    = []string{"UPLOAD", "DELETE", "MANAGE"}
	ofMetadata = []string{"READ_METADATA", "UPDATE_METADATA"}
)

// readActivities keeps the activities that this and all earlier caveats name.
func (w *wish) readActivities(value string) error {
	known := slices.Concat(reading, writing, ofMetadata)
	named := []string{}
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(known, name) {
			return errors.BadDataHint("caveats", fmt.Sprintf("activity: %.100q is unknown: expected %s", name, strings.Join(known, ", ")))
		}
		if w.activities == nil || slices.Contains(w.activities, name) {
			named = append(named, name)
		}
	}
	w.activities = named
	return nil
}

// caveats returns the caveats that allow what was asked for, and no more.
func (w *wish) caveats() ([]caveat.Caveat, error) {
	cs := []caveat.Caveat{caveat.Until(slices.MinFunc(w.times, time.Time.Compare))}
	for _, masks := range w.ips {
		cs = append(cs, masks)
	}
	if w.path != "" {
		cs = append(cs, caveat.DataPath{w.path})
	}
	readonly, err := w.isReadonly()
	if readonly {
		cs = append(cs, caveat.DataReadonly{})
	}
	return cs, err
}

// isReadonly reports whether the activities are those of data.readonly. The
// error is badData unless they are, or are all activities.
func (w *wish) isReadonly() (bool, error) {
	if w.activities == nil {
		return false, nil
	}
	wanted := func(name string) bool { return slices.Contains(w.activities, name) }
	unwanted := func(name string) bool { return !wanted(name) }
	switch {
	case slices.ContainsFunc(reading, unwanted):
	case !slices.ContainsFunc(writing, unwanted):
		return false, nil
	case !slices.ContainsFunc(writing, wanted) && !wanted("UPDATE_METADATA"):
		return true, nil
	}
	return false, errors.BadDataHint("caveats", "activity: Onezone tokens allow reading, or reading and writing: "+
		"ask for DOWNLOAD,LIST or for DOWNLOAD,LIST,UPLOAD,DELETE,MANAGE")
}
