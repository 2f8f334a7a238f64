package caveat_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/onezone-go/onezone/caveat"
)

func TestTimeText(t *testing.T) {
	testCanonical(t, []canonical{
		{text: "time < 0", value: caveat.Time{}, json: `{"type":"time","validUntil":0}`},
		{text: "time < 1571147494", value: caveat.Time{ValidUntil: 1571147494}, json: `{"type":"time","validUntil":1571147494}`},
		{text: "time < 9223372036854775807", value: caveat.Time{ValidUntil: math.MaxInt64}, json: `{"type":"time","validUntil":9223372036854775807}`},
	})
	unknownTexts(t,
		"time", "time ", "time <", "time < ", "time<5", "time <5", "time  < 5", "time <  5", " time < 5", "time < 5 ",
		"time < +5", "time < -5", "time < -0", "time < 005", "time < 00", "time < 5.0", "time < 5e1", "time < 0x10",
		"time < 1_000", "time < 5|6", "time < ٥", "time < 5\n", "time <\t5", "time > 5", "time = 5", "time <= 5",
		"TIME < 5", "Time < 5", "time < 9223372036854775808", "time < 18446744073709551616",
		"time < 99999999999999999999999999999999")
}

func TestTimeHoldsBeforeItsSecond(t *testing.T) {
	at := func(moment time.Time) *caveat.Request { return &caveat.Request{Now: moment} }
	holds(t, true, "time < 1600000001", at(now))
	holds(t, true, "time < 1600000001", at(now.Add(time.Second-1)))
	holds(t, false, "time < 1600000000", at(now))
	holds(t, false, "time < 1600000000", at(now.Add(1)))
	holds(t, false, "time < 1599999999", at(now))
	holds(t, true, "time < 1", at(time.Unix(0, 0)))
	holds(t, false, "time < 0", at(time.Unix(0, 0)))
	holds(t, true, "time < 0", at(time.Unix(0, -1)))
}

func TestTimeHoldsForTheLeewayAfterItsEnd(t *testing.T) {
	at := func(moment time.Time, leeway time.Duration) *caveat.Request {
		return &caveat.Request{Now: moment, Leeway: leeway}
	}
	holds(t, true, "time < 1600000000", at(now, 2*time.Second))
	holds(t, true, "time < 1600000000", at(now.Add(2*time.Second-1), 2*time.Second))
	holds(t, false, "time < 1600000000", at(now.Add(2*time.Second), 2*time.Second))
	holds(t, true, "time < 1600000001", at(now, -time.Hour))
	holds(t, false, "time < 9223372036854775807", at(time.Time{}, time.Hour))
}

func TestTimeNeedsAClock(t *testing.T) {
	holds(t, false, "time < 9223372036854775807", &caveat.Request{})
	holds(t, false, "time < 9223372036854775807", &caveat.Request{Now: time.Time{}.UTC()})
}

func TestUntilIsInWholeSeconds(t *testing.T) {
	assert.Equal(t, caveat.Time{ValidUntil: 1_600_000_000}, caveat.Until(now.Add(time.Second-1)))
}

func TestNewTime(t *testing.T) {
	testNew(t, []newCase{
		{caveat.Time{}, ""},
		{caveat.Time{ValidUntil: 1}, ""},
		{caveat.Time{ValidUntil: math.MaxInt64}, ""},
		{caveat.Time{ValidUntil: -1}, "validUntil must not be negative"},
		{caveat.Time{ValidUntil: math.MinInt64}, "validUntil must not be negative"},
	})
}

func TestTimeIsDescribedInAnyYear(t *testing.T) {
	for validUntil, want := range map[int64]string{
		1571147494:    "the token is good only before 2019-10-15T13:51:34Z.",
		253402300799:  "the token is good only before 9999-12-31T23:59:59Z.",
		253402300800:  "the token is good only before second 253402300800 of the Unix epoch.",
		math.MaxInt64: "the token is good only before second 9223372036854775807 of the Unix epoch.",
		-1:            "the token is good only before second -1 of the Unix epoch.",
		math.MinInt64: "the token is good only before second -9223372036854775808 of the Unix epoch.",
	} {
		assert.ErrorContains(t, caveat.Unverified(caveat.Time{ValidUntil: validUntil}), want)
	}
}
