package caveat

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// Interface is an interface of the system, and also the caveat "interface =
// NAME" that requires it. The zero value is an unknown interface.
type Interface uint8

// The interfaces. A token for [Oneclient] is limited to file access; see
// [Authorize].
const (
	REST Interface = iota + 1
	Oneclient
	GraphSync
)

var interfaceNames = []string{REST: "rest", Oneclient: "oneclient", GraphSync: "graphsync"}

var interfaceTexts = []string{REST: "interface = rest", Oneclient: "interface = oneclient", GraphSync: "interface = graphsync"}

// ParseInterface reads the name of an interface: "rest", "oneclient" or
// "graphsync". The error is badValueNotAllowed {key "interface"}.
func ParseInterface(name string) (Interface, error) {
	i, ok := valueOf[Interface](interfaceNames, name)
	if !ok {
		return 0, errors.BadValueNotAllowed("interface", interfaceNames[REST:]...)
	}
	return i, nil
}

func parseInterface(rest string) (Caveat, bool) {
	name, found := strings.CutPrefix(rest, " = ")
	i, ok := valueOf[Interface](interfaceNames, name)
	return i, found && ok
}

func readInterface(o object, _ int) (Caveat, string) {
	name, _ := o.text("interface")
	i, ok := valueOf[Interface](interfaceNames, name)
	return i, unless(ok, "interface must be rest, oneclient or graphsync")
}

// Name returns the name of the interface, "unknown" for zero.
func (i Interface) Name() string { return nameOf(interfaceNames, i) }

// Type returns [TypeInterface].
func (Interface) Type() Type { return TypeInterface }

// String returns the text of the caveat, "interface = NAME".
func (i Interface) String() string {
	if i < REST || i > GraphSync {
		return "interface = " + i.Name()
	}
	return interfaceTexts[i]
}

// MarshalJSON returns {"type":"interface","interface":NAME}.
func (i Interface) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type      Type   `json:"type"`
		Interface string `json:"interface"`
	}{TypeInterface, i.Name()})
}

func (i Interface) satisfied(_ context.Context, req Request) (bool, error) {
	return i != 0 && i == req.Interface, nil
}

func (i Interface) problem() string {
	if i < REST || i > GraphSync {
		return "the interface must be rest, oneclient or graphsync"
	}
	return ""
}

func (i Interface) demand() string {
	return fmt.Sprintf("the token may be used only through the interface %q", i.Name())
}

func (Interface) explain(_ context.Context, a *Attempt) Wording {
	if a.Interface == 0 {
		return Wording{Reason: "the interface that receives the token is unknown", Missing: true}
	}
	return Wording{Reason: fmt.Sprintf("the interface that receives the token is %q", a.Interface.Name())}
}
