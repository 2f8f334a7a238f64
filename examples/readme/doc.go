// Package readme compiles and runs the programs that the README and the guide show,
// and checks what they link to.
package readme
