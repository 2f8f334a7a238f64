//go:build e2e

package formats

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/python"
	"github.com/onezone-go/onezone/internal/testing/vtest"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

var update = flag.Bool("update", false, "write the suites of internal/testing/vtest anew")

// implementation makes and verifies macaroons of one version.
type implementation struct {
	name   string
	make   func(t *testing.T, scenarios []scenario) []made
	verify func(t *testing.T, cases []vtest.Case) []vtest.Verdict
}

// made is the texts of a macaroon and its discharges.
type made struct {
	Macaroon   string   `json:"macaroon"`
	Discharges []string `json:"discharges"`
}

// implementations are those that know a version, this project first.
func implementations(t *testing.T, version int) []implementation {
	ours := implementation{"onezone", makeHere(version), verifyHere(version)}
	if version == 2 {
		return []implementation{ours, inPython(t, peers[0], version)}
	}
	return []implementation{ours, inPython(t, peers[1], version), inPython(t, peers[0], version)}
}

func inPython(t *testing.T, p peer, version int) implementation {
	interpreter := python.Interpreter(t, p.requirement)
	run := func(t *testing.T, scenarios []scenario, cases []vtest.Case) (output struct {
		Made     []made          `json:"made"`
		Verdicts []vtest.Verdict `json:"verdicts"`
	}) {
		t.Helper()
		text, err := python.Run(t, interpreter, "testdata/"+p.name+"_suite.py", map[string]any{
			"version": version, "scenarios": scenarios, "cases": cases,
		})
		require.NoError(t, err, text)
		require.NoError(t, json.Unmarshal([]byte(text), &output), text)
		require.Len(t, output.Made, len(scenarios))
		require.Len(t, output.Verdicts, len(cases))
		return output
	}
	return implementation{
		p.name,
		func(t *testing.T, scenarios []scenario) []made { return run(t, scenarios, nil).Made },
		func(t *testing.T, cases []vtest.Case) []vtest.Verdict { return run(t, nil, cases).Verdicts },
	}
}

func formatOf(version int) general.Format {
	if version == 1 {
		return general.V1
	}
	return general.V2
}

func makeHere(version int) func(t *testing.T, scenarios []scenario) []made {
	return func(t *testing.T, scenarios []scenario) (all []made) {
		for _, s := range scenarios {
			root := s.Root.make(t)
			m := made{Macaroon: encode(t, root, formatOf(version))}
			for _, spec := range s.Discharges {
				d := spec.make(t)
				if !spec.Unbound {
					to := root
					if spec.BoundTo != nil {
						to = spec.BoundTo.make(t)
					}
					bound, err := discharge.Bind(to, d)
					require.NoError(t, err)
					d = bound[0]
				}
				m.Discharges = append(m.Discharges, encode(t, d, formatOf(version)))
			}
			all = append(all, m)
		}
		return all
	}
}

func (s spec) make(t *testing.T) general.Macaroon {
	t.Helper()
	m, err := general.New(s.Location, s.Identifier, store.NewSecret(s.Key))
	require.NoError(t, err)
	for _, c := range s.Caveats {
		if c.Key == "" {
			m, err = m.Confine(c.Text)
		} else {
			m, err = discharge.Add(m, discharge.Caveat{Location: c.Location, Identifier: c.Text, Key: store.NewSecret(c.Key)})
		}
		require.NoError(t, err)
	}
	return m
}

func encode(t *testing.T, m general.Macaroon, format general.Format) string {
	t.Helper()
	text, err := m.Encode(format)
	require.NoError(t, err)
	return text
}

func verifyHere(version int) func(t *testing.T, cases []vtest.Case) []vtest.Verdict {
	return func(t *testing.T, cases []vtest.Case) (verdicts []vtest.Verdict) {
		for _, c := range cases {
			m, err := general.Parse(c.Macaroon, formatOf(version))
			require.NoError(t, err)
			discharges := make([]general.Macaroon, len(c.Discharges))
			for i, text := range c.Discharges {
				discharges[i], err = general.Parse(text, formatOf(version))
				require.NoError(t, err)
			}
			req, err := c.Request()
			require.NoError(t, err)
			verdict := vtest.Authorized
			if _, err := discharge.Verify(t.Context(), m, store.NewSecret(c.Key), req, discharges...); err != nil {
				verdict = vtest.Unauthorized
			}
			verdicts = append(verdicts, verdict)
		}
		return verdicts
	}
}

// requireVerdicts checks what an implementation says about the cases.
func requireVerdicts(t *testing.T, by implementation, cases []vtest.Case) {
	t.Helper()
	for i, verdict := range by.verify(t, cases) {
		want := cases[i].Verdict
		if want == vtest.Stricter {
			want = vtest.Authorized
			if by.name == "onezone" {
				want = vtest.Unauthorized
			}
		}
		require.Equal(t, want, verdict, "%s about %q", by.name, cases[i].Name)
	}
}

// Each implementation makes the macaroons of all scenarios, and all verify them.
func TestAllImplementationsAgreeAboutEachOthersMacaroons(t *testing.T) {
	t.Parallel()
	for _, version := range []int{1, 2} {
		all := implementations(t, version)
		for _, maker := range all {
			t.Run(fmt.Sprint(maker.name, "/", version), func(t *testing.T) {
				t.Parallel()
				cases := casesOf(scenarios(), maker.make(t, scenarios()))
				for _, verifier := range all {
					requireVerdicts(t, verifier, cases)
				}
			})
		}
	}
}

// The suites that the tests of macaroon/discharge verify, are what they say.
func TestOthersAgreeWithTheSuites(t *testing.T) {
	t.Parallel()
	for _, version := range []int{1, 2} {
		all := implementations(t, version)
		if *update {
			cases := casesOf(scenarios(), all[1].make(t, scenarios()))
			file := filepath.Join("../../testing/vtest", vtest.FileName(version))
			header := fmt.Sprintf("# Macaroons of version %d, made by %s. See package vtest.\n\n", version, all[1].name)
			require.NoError(t, os.WriteFile(file, []byte(header+vtest.Print(cases)), 0o644))
			continue
		}
		suites, err := vtest.Suites()
		require.NoError(t, err)
		require.Len(t, suites[version], len(scenarios()))
		for _, verifier := range all {
			requireVerdicts(t, verifier, suites[version])
		}
	}
}

func casesOf(scenarios []scenario, made []made) []vtest.Case {
	cases := make([]vtest.Case, len(scenarios))
	for i, s := range scenarios {
		cases[i] = vtest.Case{
			Name: s.name, Key: s.key, Exact: s.exact, Now: now,
			Macaroon: made[i].Macaroon, Discharges: made[i].Discharges, Verdict: s.verdict,
		}
	}
	return cases
}
