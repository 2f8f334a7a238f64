package geoip

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	// Reads the file format of MaxMind.
	"github.com/oschwald/maxminddb-golang/v2"
)

// content is what a file has records of.
type content int

const (
	places content = iota + 1
	systems
)

// String returns what messages call the content.
func (c content) String() string {
	if c == places {
		return "places"
	}
	return "autonomous systems"
}

// contentOf returns the content of files with a database type. The types of other
// vendors are like those of MaxMind: DBIP-Country-Lite.
func contentOf(databaseType string) (content, error) {
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(databaseType, word) {
				return true
			}
		}
		return false
	}
	switch {
	case has("ASN", "ISP"):
		return systems, nil
	case has("Country", "City", "Enterprise"):
		return places, nil
	}
	return 0, fmt.Errorf("a database of the type %.60q has neither countries nor autonomous systems: "+
		"want a Country, City, ASN or ISP database", databaseType)
}

// placeRecord is the part that is used of a record of a place.
type placeRecord struct {
	Continent struct {
		Code string `maxminddb:"code"`
	} `maxminddb:"continent"`
	Country struct {
		Code string `maxminddb:"iso_code"`
		EU   bool   `maxminddb:"is_in_european_union"`
	} `maxminddb:"country"`
}

// systemRecord is the part that is used of a record of an autonomous system.
type systemRecord struct {
	Number uint32 `maxminddb:"autonomous_system_number"`
}

// Records are reused, because decoding moves them to the heap. They must be
// cleared before they are used again.
var (
	placeRecords  = sync.Pool{New: func() any { return new(placeRecord) }}
	systemRecords = sync.Pool{New: func() any { return new(systemRecord) }}
)

// parse returns a reader of the bytes of a file, all records of which can be
// decoded. It gives up when stop is closed.
func parse(file []byte, stop <-chan struct{}) (*maxminddb.Reader, content, error) {
	reader, err := maxminddb.OpenBytes(file)
	if err != nil {
		return nil, 0, err
	}
	c, err := contentOf(reader.Metadata.DatabaseType)
	if err != nil {
		return nil, 0, err
	}
	useful, err := checkRecords(reader, c, stop)
	if err == nil && !useful {
		err = fmt.Errorf("the database, of the type %.60q, has no record of %v", reader.Metadata.DatabaseType, c)
	}
	return reader, c, err
}

var errStopped = errors.New("the resolver is closed")

// checkRecords decodes every record once. useful reports whether one of them says
// what look-ups ask for.
func checkRecords(reader *maxminddb.Reader, c content, stop <-chan struct{}) (useful bool, err error) {
	seen := make(map[uintptr]bool)
	for result := range reader.Networks() {
		if err := result.Err(); err != nil {
			return false, fmt.Errorf("the search tree is damaged: %w", err)
		}
		if seen[result.Offset()] {
			continue
		}
		seen[result.Offset()] = true
		select {
		case <-stop:
			return false, errStopped
		default:
		}
		ok, err := checkRecord(result, c)
		if err != nil {
			return false, fmt.Errorf("the record of %v is damaged: %w", result.Prefix(), err)
		}
		useful = useful || ok
	}
	return useful, nil
}

func checkRecord(result maxminddb.Result, c content) (useful bool, err error) {
	if c == systems {
		var record systemRecord
		err = result.Decode(&record)
		return record.Number != 0, err
	}
	var record placeRecord
	if err := result.Decode(&record); err != nil {
		return false, err
	}
	code := record.Country.Code
	if code != "" && (len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return false, fmt.Errorf("the country %.20q is not a code of two capital letters", code)
	}
	return code != "", nil
}
