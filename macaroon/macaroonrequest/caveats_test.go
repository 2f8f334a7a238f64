package macaroonrequest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

func TestRequestsBecomeCaveats(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	// The harness begins at 2024-10-01T12:00:00Z, which is 1727784000.
	const anHour, space = "time < 1727787600", "data.path = L3NwYWNlMQ=="
	for name, c := range map[string]struct {
		path, body string
		want       []string
	}{
		"empty body":     {"/", "", []string{anHour}},
		"empty object":   {"/", "{}", []string{anHour}},
		"no caveats":     {"/", `{"caveats":[]}`, []string{anHour}},
		"path posted to": {"/space1", "{}", []string{anHour, space}},
		"trailing slash": {"/space1/", "{}", []string{anHour, space}},
		"path caveat":    {"/", `{"caveats":["path:/space1"]}`, []string{anHour, space}},
		"relative path":  {"/", `{"caveats":["path:space1/"]}`, []string{anHour, space}},
		"path of all":    {"/space1", `{"caveats":["path:/"]}`, []string{anHour, space}},
		"path in a path": {"/space1", `{"caveats":["path:/a", "path:b c"]}`, []string{anHour, "data.path = L3NwYWNlMS9hL2IgYw=="}},
		"escaped path":   {"/space1/b%20c%C5%BC", "{}", []string{anHour, "data.path = L3NwYWNlMS9iIGPFvA=="}},
		"reading":        {"/", `{"caveats":["activity:DOWNLOAD,LIST"]}`, []string{anHour, "data.readonly"}},
		"reading and metadata": {
			"/", `{"caveats":["activity:READ_METADATA, LIST,DOWNLOAD"]}`, []string{anHour, "data.readonly"},
		},
		"writing": {"/", `{"caveats":["activity:DOWNLOAD,LIST,MANAGE,UPLOAD,DELETE"]}`, []string{anHour}},
		"all activities": {
			"/", `{"caveats":["activity:DOWNLOAD,LIST,MANAGE,UPLOAD,DELETE,READ_METADATA,UPDATE_METADATA"]}`, []string{anHour},
		},
		"activities of two caveats": {
			"/", `{"caveats":["activity:DOWNLOAD,LIST,MANAGE,UPLOAD,DELETE","activity:LIST,DOWNLOAD"]}`, []string{anHour, "data.readonly"},
		},
		"activities of two caveats, the wider last": {
			"/", `{"caveats":["activity:LIST,DOWNLOAD","activity:DOWNLOAD,LIST,MANAGE,UPLOAD,DELETE"]}`, []string{anHour, "data.readonly"},
		},
		"addresses": {
			"/", `{"caveats":["ip:192.0.2.0/24, 198.51.100.7","ip:192.0.2.1"]}`,
			[]string{anHour, "ip = 192.0.2.0/24|198.51.100.7/32", "ip = 192.0.2.1/32"},
		},
		"validity":        {"/", `{"validity":"P1DT12H"}`, []string{"time < 1727913600"}},
		"before":          {"/", `{"caveats":["before:2024-10-01T12:30:00Z"]}`, []string{"time < 1727785800"}},
		"before, rounded": {"/", `{"caveats":["before:2024-10-01T12:30:00.999Z"]}`, []string{"time < 1727785800"}},
		"before, offset":  {"/", `{"caveats":["before:2024-10-01T14:30:00+02:00"]}`, []string{"time < 1727785800"}},
		"earliest time": {
			"/", `{"validity":"PT2H","caveats":["before:2024-10-01T12:45:00Z","before:2024-10-01T12:30:00Z"]}`, []string{"time < 1727785800"},
		},
		"as gfal2 asks": {
			"/space1", `{"caveats": ["activity:LIST,DOWNLOAD"], "validity": "PT720M"}`, []string{"time < 1727827200", space, "data.readonly"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, tokenIn(t, f.post(t, c.path, c.body)).Caveats())
		})
	}
}

func TestWhatOnezoneCannotExpressIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const sets = "reading, or reading and writing"
	for caveat, reason := range map[string]string{
		"activity:UPLOAD":                        sets,
		"activity:UPLOAD,LIST":                   sets,
		"activity:DOWNLOAD":                      sets,
		"activity:LIST":                          sets,
		"activity:READ_METADATA":                 sets,
		"activity:DOWNLOAD,LIST,UPLOAD":          sets,
		"activity:DOWNLOAD,LIST,UPLOAD,MANAGE":   sets,
		"activity:DOWNLOAD,LIST,UPDATE_METADATA": sets,
		"activity:UPLOAD,DELETE,LIST,MANAGE":     sets,
		`activity:DOWNLOAD","activity:LIST`:      sets,
		"activity:STAGE,DOWNLOAD,LIST":           `"STAGE" is unknown`,
		"activity:download,list":                 `"download" is unknown`,
		"activity:":                              `"" is unknown`,
		"activity:DOWNLOAD,LIST,":                `"" is unknown`,
		"activity":                               `"" is unknown`,
		"ip:2001:db8::/32":                       "IPv4",
		"ip:::ffff:192.0.2.1":                    "IPv4",
		"ip:192.0.2.1,2001:db8::1":               "IPv4",
		"ip:192.0.2.1,":                          "IPv4",
		"ip:":                                    "IPv4",
		"ip:192.0.2.1/33":                        "IPv4",
		"ip:192.0.2.01":                          "IPv4",
		"before:tomorrow":                        "2026-12-24T18:00:00Z",
		"before:2024-12-24":                      "2026-12-24T18:00:00Z",
		"before:":                                "2026-12-24T18:00:00Z",
		"before:2024-10-01T12:00:00Z":            "expire at once",
		"before:2024-10-01T12:00:00.5Z":          "expire at once",
		"path:":                                  "path such as",
		"path://":                                "path such as",
		"path://a":                               "path such as",
		"root:/space1":                           "has no caveat like",
		"home:/space1":                           "has no caveat like",
		"id:1000;1000;alice":                     "has no caveat like",
		"iid:x":                                  "has no caveat like",
		"max-upload:5":                           "has no caveat like",
		"Activity:DOWNLOAD,LIST":                 "has no caveat like",
		" activity:DOWNLOAD,LIST":                "has no caveat like",
		"data.readonly":                          "has no caveat like",
		"time < 5":                               "has no caveat like",
		"":                                       "has no caveat like",
		strings.Repeat("x", 10_000):              "has no caveat like",
		"ip:" + strings.Repeat("x", 10_000):      "IPv4",
		"activity:" + strings.Repeat("DOWNLOAD,", 1000): `"" is unknown`,
	} {
		res := f.post(t, "/", `{"caveats":["`+caveat+`"]}`)
		macaroontest.AssertStatus(t, res, http.StatusBadRequest)
		macaroontest.AssertError(t, res, errors.IDBadData)
		require.ErrorContains(t, res.Err(), reason, "%.100s", caveat)
		require.Less(t, len(res.Body), 1000, "%.100s", caveat)
	}
}

func TestPathsThatAreNotCleanAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, path := range []string{
		"/space1//a", "/space1/a//", "//space1", "/space1/../space2", "/space1/..", "/./space1", "/space1/%2e%2e/space2", "/%2e",
	} {
		res := f.post(t, path, "{}")
		macaroontest.AssertStatus(t, res, http.StatusBadRequest)
		macaroontest.AssertError(t, res, errors.IDBadValueCaveat)
	}
	for _, path := range []string{"/space1%2fa", "/space1/a%2F..%2fb", "/%2f"} {
		macaroontest.AssertError(t, f.post(t, path, "{}"), errors.IDBadData)
	}
	for _, path := range []string{"..", "/..", "a/../..", "../space2", "a//b", "./a", "."} {
		macaroontest.AssertError(t, f.post(t, "/space1", `{"caveats":["path:`+path+`"]}`), errors.IDBadValueCaveat)
	}
}

func TestBodyIsStrictJSON(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, body := range []string{
		`{`, `{} {}`, `x`, `{"validity":"PT1H","validity":"PT2H"}`, `{"caveats":[],"\u0063aveats":[]}`, `{"validity":"PT1H",}`, "{\"validity\":\"\xff\"}",
	} {
		macaroontest.AssertError(t, f.post(t, "/", body), errors.IDMalformedData)
	}
	for _, body := range []string{
		`[]`, `null`, `"PT1H"`, `{"Validity":"PT1H"}`, `{"caveat":["activity:DOWNLOAD,LIST"]}`, `{"validity":"PT1H","path":"/a"}`,
		`{"caveats":"activity:DOWNLOAD,LIST"}`, `{"caveats":null}`, `{"caveats":[null]}`, `{"caveats":[["path:/a"]]}`, `{"caveats":{}}`,
		`{"validity":null}`, `{"validity":3600}`, `{"validity":""}`, `{"validity":"1h"}`, `{"validity":"P1M"}`, `{"validity":"PT0S"}`,
		`{"validity":"PT-1H"}`, `{"validity":"PT9223372037S"}`,
	} {
		res := f.post(t, "/", body)
		macaroontest.AssertStatus(t, res, http.StatusBadRequest)
		macaroontest.AssertError(t, res, errors.IDBadData)
	}
}
