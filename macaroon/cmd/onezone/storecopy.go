package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/transfer"
)

func (p *program) storeCopyCommand() *cobra.Command {
	var from string
	var overwrite bool
	c := &cobra.Command{
		Use: "copy SRC DST", Short: "Copy all records to another store",
		Long: `Copies all records between any two stores. Stop the service before; see "onezone
store compare" for afterwards. Sealed secrets stay sealed under the same keys. DST
must be empty; --overwrite replaces records with the same keys. A copy that was
interrupted prints how to continue it.`,
		Example: "  onezone store copy sqlite:data/onezone.db postgres://onezone@db/onezone",
		Args:    arguments("SRC", "DST"),
	}
	c.Flags().StringVar(&from, "from", "", "`POSITION` that an interrupted copy has printed")
	c.Flags().BoolVar(&overwrite, "overwrite", false, "write into a store that has records, and replace those with the same keys")
	return p.withTwoStores(c, func(ctx context.Context, src, dst backend) error {
		at, err := parsePosition(from)
		if err != nil {
			return err
		}
		if !overwrite && from == "" {
			if empty, err := isEmpty(ctx, dst); err != nil || !empty {
				return errors.Join(err, fmt.Errorf("%s has records: choose an empty store, or --overwrite records with the same keys",
					storeName(dst.settings.store)))
			}
		}
		show, end := p.progress("copying records")
		done, err := transfer.Copy(ctx, dst, src, transfer.Options{From: at, PageSize: store.MaxPage,
			Progress: func(at transfer.Progress) { show(at.Records, 0) }})
		end()
		if err != nil {
			return fmt.Errorf("copied %d records, and then: %w; to continue, run again with --from %s",
				done.Records, err, formatPosition(done.Next))
		}
		return p.print(map[string]int64{"records": done.Records}, "copied %d records to %s", done.Records, storeName(dst.settings.store))
	}, false)
}

// isEmpty reports whether the store has no records.
func isEmpty(ctx context.Context, s store.Exporter) (bool, error) {
	for page, err := range transfer.Walk(ctx, s, transfer.Position{}, 1) {
		if err != nil || len(page.Records) > 0 {
			return false, err
		}
	}
	return true, nil
}

// formatPosition returns a position as an argument of a command.
func formatPosition(p transfer.Position) string {
	return strconv.Itoa(int(p.Kind)) + ":" + url.QueryEscape(p.After)
}

func parsePosition(text string) (p transfer.Position, err error) {
	if text == "" {
		return p, nil
	}
	kind, after, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(kind, 10, 8)
	p.Kind = store.RecordKind(n)
	if err == nil {
		p.After, err = url.QueryUnescape(after)
	}
	if err != nil || p.Kind < store.IdentityRecords || p.IsEnd() {
		return p, usageErrorf("--from %q is not a position that a copy has printed", text)
	}
	return p, nil
}

func (p *program) storeCompareCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "compare SRC DST", Short: "Compare the records of two stores",
		Long: `Prints each record of DST that is missing, extra or different from that of SRC.
The exit code is 1 if there are any. Changes during the comparison may show.`,
		Example: "  onezone store compare sqlite:data/onezone.db postgres://onezone@db/onezone",
		Args:    arguments("SRC", "DST"),
	}
	return p.withTwoStores(c, func(ctx context.Context, src, dst backend) error {
		list := []recordResult{}
		for d, err := range transfer.Compare(ctx, dst, src) {
			if err != nil {
				return err
			}
			list = append(list, recordResult{d.Kind.String(), d.Key, d.Mismatch.String()})
		}
		err := p.printRecords(list)
		if err == nil && len(list) > 0 {
			err = fmt.Errorf("the stores differ in %d records", len(list))
		}
		if err == nil && !p.asJSON {
			err = p.say("the stores have the same records")
		}
		return err
	}, true)
}

// recordResult is a record in the output of a command, with what is wrong.
type recordResult struct {
	Kind    string `json:"kind"`
	Key     string `json:"key"`
	Problem string `json:"problem"`
}

func (p *program) printRecords(list []recordResult) error {
	if len(list) == 0 && !p.asJSON {
		return nil
	}
	return printList(p, list, []string{"RECORD", "KEY", "PROBLEM"}, func(r recordResult) []string {
		return []string{r.Kind, r.Key, r.Problem}
	})
}

// withTwoStores makes the command open the stores of its two arguments. keep:
// neither of them is created.
func (p *program) withTwoStores(c *cobra.Command,
	do func(ctx context.Context, src, dst backend) error, keep bool,
) *cobra.Command {
	shared := newSettings()
	shared.database.flags(c.Flags())
	p.jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if _, err := p.configured(c.Flags(), shared); err != nil {
			return err
		}
		from, to := *shared, *shared
		from.store, to.store = args[0], args[1]
		from.keepTables, to.keepTables = true, keep
		for i, s := range []*settings{&from, &to} {
			if err := cmp.Or(checkStore(s.store), checkLasting(s.store)); err != nil {
				return usageErrorf("%s is not a store that can be copied: %w", []string{"SRC", "DST"}[i], err)
			}
		}
		if from.store == to.store {
			return usageErrorf("SRC and DST are the same store")
		}
		return from.withBackend(c.Context(), func(src backend) error {
			return to.withBackend(c.Context(), func(dst backend) error { return do(c.Context(), src, dst) })
		})
	}
	return c
}
