package printable

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Table writes rows with escaped cells, which are aligned for a terminal and
// separated by tabs otherwise.
func Table(out io.Writer, terminal bool, rows [][]string) error {
	flush := func() error { return nil }
	if terminal {
		aligned := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		out, flush = aligned, aligned.Flush
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = Escape(cell)
		}
		if _, err := fmt.Fprintln(out, strings.Join(cells, "\t")); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
	}
	return flush()
}
