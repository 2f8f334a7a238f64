package manpage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/manpage"
)

func TestTextIsNotMistakenForMacros(t *testing.T) {
	t.Parallel()
	p := manpage.New("tool", "A tool-kit")
	p.Section("Description")
	p.Text("One\n.two\n'three \\ four\n\n  verbatim \"text\"\n  .here\n")
	p.Subsection(`use "it"`)
	p.Paragraph("End.")
	p.Term("--flag NAME", "what it does")
	require.Equal(t, `.TH "TOOL" "1" "" "tool" ""
.SH "NAME"
tool \- A tool\-kit
.SH "DESCRIPTION"
One
\&.two
\&'three \e four
.PP
.nf
  verbatim "text"
  .here
.fi
.SS "use \(dqit\(dq"
.PP
End.
.TP
\-\-flag NAME
what it does
`, p.String())
}
