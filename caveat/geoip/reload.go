package geoip

import (
	"errors"
	"time"
)

// Reload loads the files that have changed since they were read, without
// waiting for the next check. It returns an error for each file that is missing
// or cannot be used; look-ups then answer from its last good content.
func (r *Resolver) Reload() error {
	var errs []error
	for _, s := range r.sources {
		_, err := s.refresh()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// check loads changed files at every interval, until the resolver is closed. It
// logs a problem once, not at every interval.
func (r *Resolver) check(interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-ticker.C:
		}
		for _, s := range r.sources {
			switch news, err := s.refresh(); {
			case !news:
			case err != nil:
				r.log.Warn("a geo database cannot be loaded; the old one stays in use",
					"file", s.path, "built", s.built(), "error", err)
			default:
				r.log.Info("a geo database was loaded", "file", s.path, "built", s.built())
			}
		}
	}
}
