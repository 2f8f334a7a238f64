package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	// TOML with the line of each key, which the errors name. It has no
	// dependencies.
	"github.com/pelletier/go-toml/v2"
)

// sources says where the values of settings come from, by the name of their
// flags. Settings with default values are missing.
type sources map[string]string

func (s sources) has(flag string) bool { return s[flag] != "" }

// configured completes the flags of a command with the variables and the
// configuration file, checks the settings, and returns their sources. The
// errors are usage errors.
func (p *program) configured(f *pflag.FlagSet, s *settings) (sources, error) {
	from := sources{}
	f.Visit(func(set *pflag.Flag) { from[set.Name] = "flag --" + set.Name })
	// Each value is read from one place, so that an error in a value that is
	// not used harms nobody.
	if err := p.readVariables(f, from); err != nil {
		return nil, err
	}
	if err := p.readFile(f, from); err != nil {
		return nil, err
	}
	if file, err := f.GetString("config"); err == nil && file != "" && strings.HasPrefix(from["store"], file+", line ") && hasPassword(s.store) {
		s.secretConfig = file
	}
	s.decideDefaults(from.has)
	return from, s.check(func(flag string) bool { return f.Lookup(flag) != nil })
}

// variable returns the environment variable of a setting.
func variable(flag string) string {
	return "ONEZONE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settingNames are the flags that are settings: those of the service. They have
// variables and, except config, keys of the configuration file.
func settingNames() (names []string) {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	newSettings().allFlags(f)
	f.VisitAll(func(each *pflag.Flag) { names = append(names, each.Name) })
	return names
}

func (p *program) readVariables(f *pflag.FlagSet, from sources) (err error) {
	for _, name := range append(settingNames(), "config") {
		text := p.getenv(variable(name))
		if f.Lookup(name) == nil || from.has(name) || text == "" {
			continue
		}
		err = errors.Join(err, set(f, name, text, variable(name)))
		from[name] = "variable " + variable(name)
	}
	return err
}

// set sets a flag to a value that is not from the command line. The error never
// quotes the value, which may hold a password; neither does a wantError.
func set(f *pflag.FlagSet, name, text, source string) error {
	err := f.Lookup(name).Value.Set(text)
	var want wantError
	if errors.As(err, &want) {
		return usageErrorf("the value of %s is not valid for --%s: %w", source, name, want)
	}
	return err
}

// readFile reads the configuration file of --config.
func (p *program) readFile(f *pflag.FlagSet, from sources) error {
	file, err := f.GetString("config")
	if err != nil || file == "" {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return usageErrorf("--config: %w", err)
	}
	entries, err := parseConfiguration(text)
	if err != nil {
		return usageErrorf("--config %s: %w", file, err)
	}
	var errs []error
	for _, e := range entries {
		source := fmt.Sprintf("%s, line %d", file, e.line)
		if err := e.check(source); err != nil {
			errs = append(errs, err)
			continue
		}
		if f.Lookup(e.key) == nil || from.has(e.key) {
			continue
		}
		errs = append(errs, set(f, e.key, e.text, source))
		from[e.key] = source
	}
	return errors.Join(errs...)
}

// entry is a line of the configuration file.
type fileEntry struct {
	key, text string
	line      int
	unusable  bool // not a text, number, boolean or list of texts
}

func (e fileEntry) check(source string) error {
	names := settingNames()
	for _, name := range names {
		if name == e.key {
			if e.unusable {
				return usageErrorf("%s: the value of %s must be a text, a number, true, false or a list of texts", source, e.key)
			}
			return nil
		}
	}
	return usageErrorf("%s: unknown key %q%s", source, e.key, didYouMean(e.key, names))
}

// parseConfiguration returns the entries of a TOML document in their order. The
// error has the line of a mistake, and no content of the document, which may
// hold passwords.
func parseConfiguration(text []byte) (entries []fileEntry, err error) {
	values := map[string]any{}
	if err := toml.Unmarshal(text, &values); err != nil {
		var wrong *toml.DecodeError
		if errors.As(err, &wrong) {
			line, _ := wrong.Position()
			return nil, fmt.Errorf("line %d is not TOML: %s", line, strings.TrimPrefix(wrong.Error(), "toml: "))
		}
		return nil, errors.New("the file is not TOML")
	}
	// Every key is missing in an empty struct, which gives the lines.
	var nothing struct{}
	var missing *toml.StrictMissingError
	lines := toml.NewDecoder(strings.NewReader(string(text))).DisallowUnknownFields()
	if err := lines.Decode(&nothing); !errors.As(err, &missing) {
		return nil, err
	}
	for i := range missing.Errors {
		key := missing.Errors[i].Key()
		line, _ := missing.Errors[i].Position()
		e := fileEntry{key: strings.Join(key, "."), line: line}
		if len(key) == 1 {
			var ok bool
			e.text, ok = valueText(values[key[0]])
			e.unusable = !ok
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// valueText returns a value as the text of a flag.
func valueText(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool, int64:
		return fmt.Sprint(v), true
	case []any:
		parts := make([]string, len(v))
		for i, each := range v {
			if parts[i], ok = each.(string); !ok {
				return "", false
			}
		}
		return strings.Join(parts, ","), true
	}
	return "", false
}
