package caveat

import (
	"context"
	"encoding/json"
	"fmt"
)

// Interface is a way into the system, and at the same time the caveat
// "interface = NAME" that demands it. Zero is an unknown interface.
type Interface uint8

// The interfaces. A token for [Oneclient] is good for file access only: see
// [Authorize].
const (
	REST Interface = iota + 1
	Oneclient
	GraphSync
)

var interfaceNames = [...]string{REST: "rest", Oneclient: "oneclient", GraphSync: "graphsync"}

// ParseInterface reads the name of an interface: "rest", "oneclient" or
// "graphsync". ok is false for every other text.
func ParseInterface(name string) (i Interface, ok bool) {
	for i := REST; i <= GraphSync; i++ {
		if interfaceNames[i] == name {
			return i, true
		}
	}
	return 0, false
}

// Name returns the name of the interface, "unknown" for zero.
func (i Interface) Name() string {
	if i == 0 || int(i) >= len(interfaceNames) {
		return "unknown"
	}
	return interfaceNames[i]
}

// Type returns [TypeInterface].
func (Interface) Type() Type { return TypeInterface }

// String returns the text of the caveat, "interface = NAME".
func (i Interface) String() string {
	switch i {
	case REST:
		return "interface = rest"
	case Oneclient:
		return "interface = oneclient"
	case GraphSync:
		return "interface = graphsync"
	}
	return "interface = unknown"
}

// MarshalJSON returns {"type":"interface","interface":NAME}.
func (i Interface) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type      Type   `json:"type"`
		Interface string `json:"interface"`
	}{TypeInterface, i.Name()})
}

func (i Interface) satisfied(_ context.Context, req Request) (bool, error) {
	return i.holds(req.Interface), nil
}

func (i Interface) holds(used Interface) bool { return i != 0 && i == used }

func (i Interface) problem() string {
	if i < REST || i > GraphSync {
		return "the interface must be rest, oneclient or graphsync"
	}
	return ""
}

func (Interface) entries() int { return 0 }
func (i Interface) demand() string {
	return fmt.Sprintf("the token may be used only through the interface %q", i.Name())
}

// IdentityOnly is the legacy caveat "authorization = none": the token proves an
// identity and authorises nothing.
type IdentityOnly struct{}

// Type returns [TypeScope].
func (IdentityOnly) Type() Type { return TypeScope }

// String returns the text "authorization = none".
func (IdentityOnly) String() string { return "authorization = none" }

// MarshalJSON returns {"scope":"identityToken"}: alone of all caveats it has no
// type in JSON and is recognised by the key scope.
func (IdentityOnly) MarshalJSON() ([]byte, error) { return []byte(`{"scope":"identityToken"}`), nil }

func (IdentityOnly) satisfied(_ context.Context, req Request) (bool, error) {
	return req.ProveIdentity, nil
}
func (IdentityOnly) problem() string { return "" }
func (IdentityOnly) entries() int    { return 0 }
func (IdentityOnly) demand() string  { return "the token may be used only to prove an identity" }

// DataReadonly is the caveat "data.readonly": files may be read, not changed.
type DataReadonly struct{}

// Type returns [TypeDataReadonly].
func (DataReadonly) Type() Type { return TypeDataReadonly }

// String returns the text "data.readonly".
func (DataReadonly) String() string { return "data.readonly" }

// MarshalJSON returns {"type":"data.readonly"}.
func (DataReadonly) MarshalJSON() ([]byte, error) { return []byte(`{"type":"data.readonly"}`), nil }

func (DataReadonly) satisfied(_ context.Context, req Request) (bool, error) {
	return req.DataAccess, nil
}
func (DataReadonly) problem() string { return "" }
func (DataReadonly) entries() int    { return 0 }
func (DataReadonly) demand() string  { return "the token may be used only to read data" }
