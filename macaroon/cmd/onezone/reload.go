package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// reloaded are the settings that take effect at a reload. The files that they
// name are read again also if the names are the same.
var reloaded = []string{"audit", "log-level", "seal-key-file", "tls-cert", "tls-key"}

// reloader reads the settings again. It also returns the names of the settings
// that have changed.
type reloader func() (s settings, changed []string, err error)

// reloadOnHangup reloads the settings at each SIGHUP, until stop is called.
func (v *service) reloadOnHangup(read reloader) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-hangups:
				v.reload(read)
			case <-end:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(end)
		<-ended
	}
}

// reload applies new settings, or keeps all old ones if any of them is wrong.
func (v *service) reload(read reloader) {
	v.notify.send(v.log, "RELOADING=1")
	defer v.notify.send(v.log, "READY=1")
	s, changed, err := read()
	if err == nil {
		err = v.apply(s)
	}
	if err != nil {
		v.log.Error("the settings were not reloaded", "error", oneLine(err))
		return
	}
	v.log.Info("the settings were reloaded")
	changed = slices.DeleteFunc(changed, func(name string) bool { return slices.Contains(reloaded, name) })
	if len(changed) > 0 {
		v.log.Warn("changed settings take effect at the next start", "settings", strings.Join(changed, ","))
	}
}

// apply applies the settings that can be reloaded. Everything that can fail comes
// before the first change.
func (v *service) apply(s settings) (err error) {
	for flag, turned := range map[string]bool{
		"tls-cert":      (s.cert == "") != (v.tls == nil),
		"seal-key-file": (s.sealKeys == "") != (v.opened.keys == nil),
		"audit":         (s.audit == "") != (v.audit == nil),
	} {
		if turned {
			return fmt.Errorf("--%s cannot be turned on or off while the service runs", flag)
		}
	}
	if v.geo != nil {
		if err := v.geo.Reload(); err != nil {
			return fmt.Errorf("--geoip: %w", err)
		}
	}
	pair, err := s.readCertificate()
	if err != nil {
		return err
	}
	var audit *os.File
	if v.audit != nil {
		if audit, err = openForAudit(s.audit); err != nil {
			return err
		}
	}
	if v.opened.keys != nil {
		if err := v.replaceKeys(s); err != nil {
			if audit != nil {
				err = errors.Join(err, audit.Close())
			}
			return err
		}
	}
	if audit != nil {
		v.audit.replace(audit)
	}
	if pair != nil {
		v.tls.current.Store(pair)
	}
	v.level.Set(s.logLevel)
	return nil
}

// replaceKeys reads the seal keys, and keeps the old ones if the new ones do not
// open the store.
func (v *service) replaceKeys(s settings) error {
	keys, err := s.readSealKeys()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	old := v.opened.keys.current.Swap(keys)
	if err := v.opened.check(ctx); err != nil {
		v.opened.keys.current.Store(old)
		return fmt.Errorf("--seal-key-file %s: %w", s.sealKeys, err)
	}
	return nil
}

// oneLine returns a joined error in one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
