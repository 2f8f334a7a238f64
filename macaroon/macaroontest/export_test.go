package macaroontest

import "time"

// VerifierChecks returns the names of the checks of TestVerifier, with those of
// their areas.
func VerifierChecks() (names []string) {
	for _, area := range verifierAreas() {
		for _, c := range area.checks {
			names = append(names, area.name+"/"+c.name)
		}
	}
	return names
}

// ShortenOutages has the suite wait less for verifiers that are wrong.
func ShortenOutages() { outageLimit = time.Second }
