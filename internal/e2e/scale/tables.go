//go:build unix

package main

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"
)

// document is docs/scale.md with the names of the tables in braces.
//
//go:embed scale.md.tmpl
var document string

// render writes docs/scale.md.
func render(w io.Writer) error {
	t := template.New("docs/scale.md").Funcs(template.FuncMap{
		"figures": figuresTable, "filled": filledTable, "feed": feedTable, "space": spaceTable,
		"verifications": verificationsTable, "replicas": replicasTable, "limits": limitsTable,
	})
	if _, err := t.Parse(document); err != nil {
		return err
	}
	return t.Execute(w, nil)
}

// table formats rows, of which the first is the head. All columns but the first
// ones, text of them, are numbers.
func table(text int, rows ...[]string) string {
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", text) + strings.Repeat(" ---: |", len(row)-text) + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// cell marks a figure as measured, in bold, or as computed.
func cell(isMeasured bool, text string) string {
	if isMeasured {
		return "**" + text + "**"
	}
	return text
}

func figuresTable() string {
	rows := [][]string{{"figure", "measured with", "value"}}
	for _, f := range constants() {
		rows = append(rows, []string{f.what, f.command, f.value})
	}
	return table(2, rows...)
}

func filledTable() string {
	rows := [][]string{{"what", "SQLite", "PostgreSQL"}}
	for _, f := range filled {
		rows = append(rows, []string{f.what, f.sqlite, f.postgres})
	}
	return table(1, rows...)
}

func feedTable() string {
	rows := [][]string{{"store", "watchers", "known to the first", "to half of them", "to all", "processor of the server"}}
	for _, f := range feeds {
		rows = append(rows, []string{f.store, fmt.Sprint(f.watchers), f.first, f.half, f.all, f.server})
	}
	return table(1, rows...)
}

func spaceTable() string {
	rows := [][]string{{"tokens", "memory store, RAM", "SQLite, disk", "PostgreSQL, disk", "Redis, RAM", "masters of a Cluster"}}
	for tokens := 1e6; tokens <= 1e9; tokens *= 10 {
		row := []string{count(tokens)}
		for _, c := range []cost{memoryCost, sqliteCost, postgresCost, redisCost} {
			row = append(row, cell(tokens <= float64(c.tokens), size(c.space(tokens))))
		}
		needed := fmt.Sprint(masters(redisCost, tokens))
		if masters(redisCost, tokens) > maxMasters {
			needed += ", too many"
		}
		rows = append(rows, append(row, needed))
	}
	return table(0, rows...)
}

func verificationsTable() string {
	rows := [][]string{{"verifications a second", "cores in the service", "cores in a program", "look-ups a second", "cores of PostgreSQL", "of Redis", "without a cache: of PostgreSQL", "of Redis"}}
	for rate := 1e3; rate <= 1e6; rate *= 10 {
		missed := rate * missShare
		rows = append(rows, []string{
			count(rate), number(rate / serviceRate * ownCores), number(cores(verification, rate)), count(missed),
			number(cores(postgresCost.server, missed)), number(cores(redisCost.server, missed)),
			number(cores(postgresCost.server, rate)), number(cores(redisCost.server, rate)),
		})
	}
	return table(0, rows...)
}

func replicasTable() string {
	rows := [][]string{{"replicas", "SQLite: known everywhere", "PostgreSQL: connections", "known everywhere", "processor a revocation",
		"Redis: connections", "known everywhere", "processor a revocation", "Cluster: connections a master", "known everywhere"}}
	for _, replicas := range []int{1, 10, 100, 1000} {
		row := []string{fmt.Sprint(replicas)}
		if replicas <= 100 {
			row = append(row, knownCell(sqliteCost, replicas))
		} else {
			row = append(row, "one machine only")
		}
		for _, c := range []cost{postgresCost, redisCost} {
			row = append(row, cell(c.isMeasured(replicas), number(c.connections*float64(replicas))), knownCell(c, replicas),
				cell(c.isMeasured(replicas), rounded(c.spent(replicas))))
		}
		row = append(row, cell(clusterCost.isMeasured(replicas), number(clusterCost.connections*float64(replicas)/clusterMasters)), knownCell(clusterCost, replicas))
		rows = append(rows, row)
	}
	return table(0, rows...)
}

// knownCell formats how long it takes until all replicas know of a revocation.
func knownCell(c cost, replicas int) string {
	return cell(c.isMeasured(replicas), rounded(c.everywhere(replicas)))
}

func limitsTable() string {
	const most = 1000 // replicas
	rows := [][]string{
		{"limit", "value", "formula"},
		{"tokens on a disk of 1 TB: PostgreSQL", count(mostTokens(postgresCost, serverDisk, diskHeadroom)), "disk / 2 / bytes of a token"},
		{"tokens on a disk of 1 TB: SQLite", count(mostTokens(sqliteCost, serverDisk, diskHeadroom)), "disk / 2 / bytes of a token"},
		{"tokens in one Redis of 64 GB", count(mostTokens(redisCost, serverRAM, ramHeadroom)), "RAM / 2 / bytes of a token"},
		{"tokens in a Redis Cluster of 16 masters of 64 GB", count(maxMasters * mostTokens(redisCost, serverRAM, ramHeadroom)), "16 * RAM / 2 / bytes of a token"},
		{"look-ups a second of one PostgreSQL with 16 cores", count(mostLookUps(postgresCost, serverCores)), "cores / 2 / processor time of a look-up"},
		{"look-ups a second of one Redis", count(mostLookUps(redisCost, 1)), "1 / 2 / processor time of a look-up: commands run on one core"},
		{"look-ups a second of a Redis Cluster of 16 masters", count(mostLookUps(redisCost, maxMasters)), "16 times that"},
		{"replicas with a feed at one PostgreSQL", count(maxClients / postgresCost.connections), "500 connections / connections of a replica"},
		{"revocations a second that reach 100 replicas: PostgreSQL, 16 cores", count(serverCores * halfBusy / postgresCost.spent(100).Seconds()), "cores / 2 / processor time of a revocation, and at most one commit at a time"},
		{"revocations a second that reach 1,000 replicas: Redis", count(halfBusy / redisCost.spent(most).Seconds()), "1 / 2 / processor time of a revocation"},
	}
	return table(1, rows...)
}

// count formats a large number with two digits: 1,000,000 or 3.4 billion.
func count(n float64) string {
	switch {
	case n >= 1e9:
		return number(n/1e9) + " billion"
	case n >= 1e6:
		return number(n/1e6) + " million"
	}
	return number(n)
}

// number formats a number with two digits, and thousands with a comma.
func number(n float64) string {
	if n < 10 {
		return fmt.Sprintf("%.2g", n)
	}
	unit := 1.0
	for n/unit >= 100 {
		unit *= 10
	}
	whole := int(n/unit+0.5) * int(unit)
	if whole < 1000 {
		return fmt.Sprint(whole)
	}
	return fmt.Sprintf("%s,%03d", number(float64(whole/1000)), whole%1000)
}

// size formats bytes.
func size(bytes float64) string {
	for _, unit := range []struct {
		of   float64
		name string
	}{{1e12, "TB"}, {1e9, "GB"}} {
		if bytes >= unit.of {
			return number(bytes/unit.of) + " " + unit.name
		}
	}
	return number(bytes/1e6) + " MB"
}

// rounded formats a duration with two digits.
func rounded(d time.Duration) string {
	if d == 0 {
		return "at once"
	}
	unit := time.Nanosecond
	for d/unit >= 100 {
		unit *= 10
	}
	return d.Round(unit).String()
}
