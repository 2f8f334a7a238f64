package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

func (p *program) storeCheckCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "check", Short: "Look for records and files that are not as they should be",
		Long: `Reads the whole store and changes nothing. It finds tokens and secrets whose user
does not exist, secrets in clear among sealed ones, secrets that do not open with
the seal keys, tokens that were altered in the database, invalid records, files
that others can read, and copies that an interrupted backup has left. It prints
what to do about each kind of problem. The exit code is 1 if there are problems.
The service may run at the same time.`,
		Example: "  onezone store check --store sqlite:data/onezone.db --seal-key-file seal.key",
		Args:    noArguments,
	}
	return p.manages(c, storeTask{keepTables: true, do: func(ctx context.Context, b backend, _ []string) error {
		list, err := b.check(ctx)
		if err != nil {
			return err
		}
		if err := p.printRecords(list); err != nil {
			return err
		}
		var errs []error
		for _, each := range advice {
			if n := countProblems(list, each.problem); n > 0 {
				errs = append(errs, fmt.Errorf("%s: %d; %s", each.problem, n, each.remedy))
			}
		}
		if len(errs) == 0 && !p.asJSON {
			return p.say("no problems in %s", storeName(b.settings.store))
		}
		return errors.Join(errs...)
	}})
}

// Problems that the check of a store finds besides those of package transfer.
const (
	problemUnopened  = "does not open"
	problemAltered   = "altered"
	problemReadable  = "readable by others"
	problemLeftOver  = "left over"
	problemNotLooked = "sealed, and no keys given"
	problemInClear   = "in clear, and keys given"
)

// advice says what to do about problems.
var advice = []struct{ problem, remedy string }{
	{transfer.Orphan.String(), `remove the tokens with: onezone token delete ID; secrets without a user do no harm`},
	{transfer.Unsealed.String(), "somebody wrote to the database without the seal keys: find out who, and delete the records or restore a backup"},
	{transfer.Invalid.String(), "the database was damaged or changed by hand: restore a backup"},
	{problemUnopened, "give the file with all keys that the store was sealed with; if a key is lost, delete these records or restore a backup with its keys"},
	{problemAltered, "somebody changed the database by hand: find out who, and restore a backup"},
	{problemReadable, "run: chmod 600 FILE"},
	{problemLeftOver, "a backup was interrupted; unless one is running, run: rm -r FILE"},
	{problemInClear, "stop the service and run: onezone store seal"},
	{problemNotLooked, "give --seal-key-file to check that the secrets open"},
}

func countProblems(list []recordResult, problem string) (n int) {
	for _, each := range list {
		if each.Problem == problem {
			n++
		}
	}
	return n
}

// check returns all problems of the store and its files.
func (b backend) check(ctx context.Context) (list []recordResult, err error) {
	list = append([]recordResult{}, b.settings.readableFiles()...)
	list = append(list, b.settings.leftOverFiles()...)
	for f, err := range transfer.Check(ctx, b) {
		if err != nil {
			return nil, err
		}
		list = append(list, recordResult{f.Kind.String(), f.Key, f.Problem.String()})
	}
	unopened, err := b.checkSecrets(ctx)
	return append(list, unopened...), err
}

// readableFiles returns the files of the settings that others than the owner can
// access.
func (s settings) readableFiles() (list []recordResult) {
	files := []string{s.sealKeys, s.audit, s.secretConfig}
	if path, ok := strings.CutPrefix(s.store, "sqlite:"); ok {
		files = append(files, path, path+"-wal", path+"-shm")
	}
	for _, file := range files {
		about, err := os.Stat(file)
		if err == nil && about.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			list = append(list, recordResult{"file", filepath.Clean(file), problemReadable})
		}
	}
	return list
}

// leftOverFiles returns the copies of the database that no backup has removed.
func (s settings) leftOverFiles() (list []recordResult) {
	path, ok := strings.CutPrefix(s.store, "sqlite:")
	if !ok {
		return nil
	}
	dir := filepath.Dir(path)
	files, _ := os.ReadDir(dir) // what cannot be read is not reported
	for _, f := range files {
		if strings.HasPrefix(f.Name(), copyPrefix) {
			list = append(list, recordResult{"file", filepath.Join(dir, f.Name()), problemLeftOver})
		}
	}
	return list
}

// checkSecrets opens all secrets of a sealed store.
func (b backend) checkSecrets(ctx context.Context) (list []recordResult, err error) {
	switch err := store.CheckSeal(ctx, b); {
	case err == nil && b.settings.sealKeys != "":
		return b.checkNoSecrets(ctx)
	case !errors.Is(err, store.ErrSealed):
		return nil, err
	}
	if b.settings.sealKeys == "" {
		return []recordResult{{"store", storeName(b.settings.store), problemNotLooked}}, nil
	}
	opened := &openedStore{front: b, back: b}
	if err := opened.seal(ctx, b.settings); err != nil {
		return nil, err
	}
	for page, err := range transfer.Walk(ctx, b, transfer.Position{}, store.MaxPage) {
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			problem, err := openSecret(ctx, opened.front, r)
			if err != nil {
				return nil, err
			}
			if problem != "" {
				list = append(list, recordResult{page.Kind.String(), r.Key(), problem})
			}
		}
	}
	return list, nil
}

// checkNoSecrets returns the records with a secret, of a store that is not
// sealed.
func (b backend) checkNoSecrets(ctx context.Context) (list []recordResult, err error) {
	for page, err := range transfer.Walk(ctx, b, transfer.Position{}, store.MaxPage) {
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			if !r.Secret().IsZero() {
				list = append(list, recordResult{page.Kind.String(), r.Key(), problemInClear})
			}
		}
	}
	return list, nil
}

// openSecret reads the record again through the seal, and returns what is wrong
// with its secret.
func openSecret(ctx context.Context, s store.Store, r store.Record) (problem string, err error) {
	if r.Use != nil {
		return "", nil
	}
	_, err = store.Current(ctx, s, r)
	switch {
	case errors.Is(err, seal.ErrAltered):
		return problemAltered, nil
	case errors.Is(err, seal.ErrUnknownKey), errors.Is(err, seal.ErrCannotOpen), errors.Is(err, seal.ErrOutdated):
		return problemUnopened, nil
	case errors.Is(err, seal.ErrNotSealed), isNotFound(err): // reported as unsealed, or deleted by now
		return "", nil
	}
	return "", err
}
