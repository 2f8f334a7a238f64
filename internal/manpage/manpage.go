// Package manpage writes manual pages in the language of man(7).
package manpage

import "strings"

// Page is a manual page that is being written.
type Page struct{ b strings.Builder }

// New returns the page of a program, with its name and a short description.
func New(name, short string) *Page {
	p := &Page{}
	p.macro("TH", strings.ToUpper(name), "1", "", name, "")
	p.Section("NAME")
	p.line(name + " - " + short)
	return p
}

// String returns the page.
func (p *Page) String() string { return p.b.String() }

// Section begins a section. Titles are written in capitals.
func (p *Page) Section(title string) { p.macro("SH", strings.ToUpper(title)) }

// Subsection begins a part of a section.
func (p *Page) Subsection(title string) { p.macro("SS", title) }

// Text writes paragraphs, which empty lines separate. Those that begin with two
// spaces stay as they are.
func (p *Page) Text(text string) {
	for i, paragraph := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		if i > 0 {
			p.macro("PP")
		}
		verbatim := strings.HasPrefix(paragraph, "  ")
		if verbatim {
			p.macro("nf")
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			p.line(line)
		}
		if verbatim {
			p.macro("fi")
		}
	}
}

// Paragraph writes paragraphs after other text.
func (p *Page) Paragraph(text string) {
	p.macro("PP")
	p.Text(text)
}

// Term writes a term, such as a flag, and its description.
func (p *Page) Term(term, description string) {
	p.macro("TP")
	p.line(term)
	p.line(description)
}

func (p *Page) macro(name string, args ...string) {
	p.b.WriteString("." + name)
	for _, each := range args {
		p.b.WriteString(` "` + strings.ReplaceAll(escape(each), `"`, `\(dq`) + `"`)
	}
	p.b.WriteString("\n")
}

// line writes a line of text, which roff must not mistake for a macro.
func (p *Page) line(text string) {
	text = escape(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	p.b.WriteString(text + "\n")
}

func escape(text string) string { return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text) }
