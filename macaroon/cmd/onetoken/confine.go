package main

import "context"

// confine prints a copy of a token with more caveats.
func confine(f *flags) action {
	var added caveatFlags
	added.declare(f)
	return func(_ context.Context, p process, args []string) error {
		texts, err := added.read(p, args)
		switch {
		case err != nil:
			return err
		case len(texts) == 0:
			// The output would be the same token, and look like a weaker one.
			return misuse("no caveats to add: give caveats or --ttl")
		}
		token, err := p.readToken()
		if err != nil {
			return err
		}
		if token, err = token.ConfineUnchecked(texts...); err != nil {
			return err
		}
		return write(p.out, token.String()+"\n")
	}
}
