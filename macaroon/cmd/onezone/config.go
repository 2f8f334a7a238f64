package main

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/internal/nearest"
)

func (p *program) configCommand() *cobra.Command {
	c := group("config", "Check the configuration", p.configCheckCommand())
	c.Long = "Checks the settings of the service. See \"onezone help settings\"."
	return c
}

// settingResult is a line of the output of config check.
type settingResult struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

func (p *program) configCheckCommand() *cobra.Command {
	s := newSettings()
	c := &cobra.Command{
		Use: "check", Short: "Print each setting of the service, its value and where it comes from",
		Long: `Prints each setting of the service, its value and where the value comes from: a
flag, a variable, a line of the configuration file or the default. Passwords in
URLs are left out. It reads the certificate, the seal keys and the geo databases,
and connects neither to the store nor to the identity provider. Mistakes are
errors, also a variable whose name is almost that of a setting.`,
		Example: `  onezone config check --config /etc/onezone/onezone.toml
  ONEZONE_STORE=memory: onezone config check --json`,
		Args: noArguments,
	}
	s.allFlags(c.Flags())
	p.jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		from, err := p.configured(c.Flags(), s)
		if err != nil {
			return err
		}
		list := s.explain(c.Flags(), from)
		err = printList(p, list, []string{"SETTING", "VALUE", "SOURCE"}, func(r settingResult) []string {
			return []string{r.Name, r.Value, r.Source}
		})
		return errors.Join(err, misspelledVariables(os.Environ()), s.checkFiles())
	}
	return c
}

// misspelledVariables returns an error for each variable that is not a setting
// but has nearly the name of one. Other programs may use the same prefix.
func misspelledVariables(environ []string) error {
	known := append(settingNames(), "config")
	var errs []error
	for _, each := range environ {
		variableName, _, _ := strings.Cut(each, "=")
		rest, ours := strings.CutPrefix(variableName, "ONEZONE_")
		name := strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
		if !ours || slices.Contains(known, name) {
			continue
		}
		if meant := nearest.Name(name, known); meant != "" {
			errs = append(errs, usageErrorf("the variable %s is not a setting, did you mean %s?", variableName, variable(meant)))
		}
	}
	return errors.Join(errs...)
}

// explain returns all settings with their values and sources.
func (s *settings) explain(f *pflag.FlagSet, from sources) (list []settingResult) {
	for _, name := range append([]string{"config"}, settingNames()...) {
		value := f.Lookup(name).Value.String()
		if slices.Contains([]string{"store", "feed-url", "primary-store"}, name) && value != "" {
			value = storeName(value)
		}
		list = append(list, settingResult{name, value, cmp.Or(from[name], "default")})
	}
	return list
}

// checkFiles reads the files of the settings.
func (s *settings) checkFiles() error {
	_, err := s.readCertificate()
	if s.sealKeys != "" {
		_, sealErr := s.readSealKeys()
		err = errors.Join(err, sealErr)
	}
	geo, geoErr := s.openGeo(nil)
	if geo != nil {
		geoErr = geo.Close()
	}
	return errors.Join(err, geoErr)
}

// configFlag adds the flag of the configuration file.
func configFlag(f *pflag.FlagSet) {
	f.String("config", "", "TOML `FILE` with settings; see \"onezone help settings\"")
}
