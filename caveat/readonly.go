package caveat

import "context"

// DataReadonly is the caveat "data.readonly": files may be read but not
// changed.
type DataReadonly struct{}

func readReadonly(object, int) (Caveat, string) { return DataReadonly{}, "" }

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
func (DataReadonly) demand() string  { return "the token may be used only to read data" }

func (DataReadonly) explain(_ context.Context, a *Attempt) Wording {
	if words, ok := noFile(a); ok {
		return words
	}
	if a.Access == Read {
		return Wording{Reason: "the file is read"}
	}
	return Wording{Reason: "the file is written"}
}
