package macaroonrequest

import (
	"slices"
	"testing"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// FuzzRead looks for requests that panic, are refused without a reason, or get
// a token without a caveat that they asked for.
func FuzzRead(f *testing.F) {
	for _, body := range []string{
		"", "{}", `{"validity":"PT1H"}`, `{"caveats":["activity:DOWNLOAD,LIST","path:/a","ip:192.0.2.0/24","before:2026-12-24T18:00:00Z"]}`,
		`{"caveats":["activity:DOWNLOAD,LIST,UPLOAD,DELETE,MANAGE"]}`, `{"caveats":["root:/a"]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := wish{now: time.Unix(1_700_000_000, 0), path: "/space1"}
		err := w.read([]byte(body))
		if err == nil && len(w.times) == 0 {
			w.times = []time.Time{w.now.Add(time.Hour)}
		}
		var cs []caveat.Caveat
		if err == nil {
			cs, err = w.caveats()
		}
		if err != nil {
			if _, ok := errors.AsType[*errors.Error](err); !ok {
				t.Fatalf("%q is refused with %v", body, err)
			}
			return
		}
		if until, _ := caveat.Expiry(cs); until <= w.now.Unix() {
			t.Fatalf("%q gives %v", body, cs)
		}
		readonly := slices.Contains(cs, caveat.Caveat(caveat.DataReadonly{}))
		if limited := w.activities != nil && !slices.Contains(w.activities, "UPLOAD"); limited && !readonly {
			t.Fatalf("%q gives %v", body, cs)
		}
	})
}
