package main

// confine prints a copy of a token that carries more caveats.
func confine(f *flags) func(process, []string) error {
	var added caveatFlags
	added.declare(f)
	return func(p process, args []string) error {
		texts, err := added.read(p, args)
		switch {
		case err != nil:
			return err
		case len(texts) == 0:
			// The very token would come out, and be taken for a weaker one.
			return misuse("there is nothing to confine the token to: give caveats or -ttl")
		}
		token, err := readToken(p.in)
		if err != nil {
			return err
		}
		if token, err = token.ConfineUnchecked(texts...); err != nil {
			return err
		}
		return write(p.out, token.String()+"\n")
	}
}
