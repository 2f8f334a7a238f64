package main

import "context"

// confine prints a copy of a token with more caveats.
func confine(f *flags) action {
	var added caveatFlags
	added.declare(f)
	asJSON := f.json("the token and its caveats")
	return func(_ context.Context, p process, args []string) error {
		texts, err := added.read(p, args)
		switch {
		case err != nil:
			return err
		case len(texts) == 0:
			// The output would be the same token, and look like a weaker one.
			return misuse("no caveats to add: give caveats, --ttl, --until or --template")
		}
		token, err := p.readToken()
		if err != nil {
			return err
		}
		before := len(token.Caveats())
		if token, err = token.ConfineUnchecked(texts...); err != nil {
			return err
		}
		p.warnAbout(token, before)
		return p.printToken(token, *asJSON)
	}
}
