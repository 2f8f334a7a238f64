package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// wantError says which values a flag takes. It never quotes the value given.
type wantError string

// Error implements error.
func (e wantError) Error() string { return "want " + string(e) }

// value is a flag with a parser. The error for a bad text says which values the
// flag takes.
type value[T any] struct {
	of    *T
	parse func(text string) (T, error)
	takes wantError
}

// toggle adds a flag that may be given without a value, which means true.
func toggle(f *pflag.FlagSet, of *bool, name, usage string) {
	f.Var(&value[bool]{of, strconv.ParseBool, "true or false"}, name, usage)
	f.Lookup(name).NoOptDefVal = "true"
}

func durationFlag(of *time.Duration) pflag.Value {
	return &value[time.Duration]{of, duration.Parse, "a number with a unit, such as 500ms, 5s or 30d"}
}

func level(of *slog.Level) pflag.Value {
	parse := func(text string) (l slog.Level, err error) {
		err = l.UnmarshalText([]byte(text))
		return l, err
	}
	return &value[slog.Level]{of, parse, "debug, info, warn or error"}
}

// oneOf is a flag that takes one of the words.
func oneOf(of *string, words ...string) pflag.Value {
	last := len(words) - 1
	takes := wantError(strings.Join(words[:last], ", ") + " or " + words[last])
	return &value[string]{of, func(text string) (string, error) {
		for _, word := range words {
			if text == word {
				return text, nil
			}
		}
		return "", takes
	}, takes}
}

func count(of *int, least int) pflag.Value {
	takes := wantError("a whole number of at least " + strconv.Itoa(least))
	return &value[int]{of, func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err == nil && n < least {
			err = takes
		}
		return n, err
	}, takes}
}

// networks is a flag that takes networks and addresses.
func networks(of *[]netip.Prefix) pflag.Value {
	return &value[[]netip.Prefix]{of, each(func(text string) (netip.Prefix, error) {
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			return netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		return netip.ParsePrefix(text)
	}), "networks such as 10.0.0.0/8 and addresses such as 10.0.0.1, separated by commas"}
}

// origins is a flag that takes origins of web pages.
func origins(of *[]string) pflag.Value {
	return &value[[]string]{of, each(func(text string) (string, error) { return text, rest.ValidateOrigin(text) }),
		"origins such as https://app.example.com, without a path and separated by commas"}
}

// repeated is a flag that may be given several times. In a variable, commas
// separate the values.
func repeated(of *[]string) pflag.Value {
	return &repeatedValue{value[[]string]{of, each(func(text string) (string, error) {
		if text == "" {
			return "", strconv.ErrSyntax
		}
		return text, nil
	}), "texts that are not empty, separated by commas"}}
}

type repeatedValue struct{ value[[]string] }

// Set adds to the values of earlier flags.
func (r *repeatedValue) Set(text string) error {
	before := *r.of
	err := r.value.Set(text)
	if err == nil {
		*r.of = append(before, *r.of...)
	}
	return err
}

// each returns a parser for values separated by commas.
func each[T any](parse func(string) (T, error)) func(string) ([]T, error) {
	return func(text string) (all []T, err error) {
		for part := range strings.SplitSeq(text, ",") {
			one, err := parse(strings.TrimSpace(part))
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		return all, nil
	}
}

// String implements [pflag.Value].
func (v *value[T]) String() string {
	var now T
	if v.of != nil {
		now = *v.of
	}
	switch now := any(now).(type) {
	case []string:
		return strings.Join(now, ",")
	case []netip.Prefix:
		return strings.ReplaceAll(strings.Trim(fmt.Sprint(now), "[]"), " ", ",")
	}
	return strings.ToLower(fmt.Sprint(now))
}

// Set implements [pflag.Value].
func (v *value[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err != nil {
		return v.takes
	}
	*v.of = parsed
	return nil
}

// Type implements [pflag.Value].
func (v *value[T]) Type() string { return strings.TrimPrefix(fmt.Sprintf("%T", *v.of), "[]") }
