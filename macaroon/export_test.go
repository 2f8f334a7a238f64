package macaroon

// HashQuickly has the authority hash passwords with a thousandth of the work, for
// tests of what comes before and after.
func HashQuickly(a *Authority) {
	a.passwords.derive = func(h passwordHash, password string) ([]byte, error) {
		h.iterations = h.iterations/1000 + 1
		return h.derive(password)
	}
}
