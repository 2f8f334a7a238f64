package caveat

import (
	"encoding/json"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// ServiceType is the type of an Onedata service. The zero value is invalid.
type ServiceType uint8

// The types of services.
const (
	OzWorker ServiceType = iota + 1 // Onezone worker
	OzPanel                         // Onezone panel
	OpWorker                        // Oneprovider worker
	OpPanel                         // Oneprovider panel

	// anyService is the "all" of a match spec; no Service has this type.
	anyService
)

// The names of services, in texts and in JSON.
var (
	serviceShort = []string{OzWorker: "ozw", OzPanel: "ozp", OpWorker: "opw", OpPanel: "opp", anyService: all}
	serviceNames = []string{OzWorker: "oz_worker", OzPanel: "oz_panel", OpWorker: "op_worker", OpPanel: "op_panel", anyService: all}
)

// String returns the JSON name, such as "op_worker", and "unknown" for the zero
// value.
func (t ServiceType) String() string { return nameOf(serviceNames, t) }

// Short returns the three-letter name, such as "opw", and "" for the zero value.
func (t ServiceType) Short() string {
	if int(t) >= len(serviceShort) {
		return ""
	}
	return serviceShort[t]
}

// ParseServiceType reads the three-letter name, such as "opw". The error is badData
// {key "service"}.
func ParseServiceType(short string) (ServiceType, error) {
	t, ok := valueOf[ServiceType](serviceShort[:anyService], short)
	if !ok {
		return 0, badService()
	}
	return t, nil
}

// MarshalText returns the JSON name.
func (t ServiceType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the JSON name. The error is badData {key "service"}.
func (t *ServiceType) UnmarshalText(text []byte) error {
	s, ok := valueOf[ServiceType](serviceNames[:anyService], string(text))
	if !ok {
		return badService()
	}
	*t = s
	return nil
}

// OnezoneID is the id of both services of Onezone itself.
const OnezoneID = "onezone"

// wildcard as an id in a caveat matches every id of the type.
const wildcard = "*"

// Service is one service: a type and the id of its cluster, which for a
// Oneprovider is the provider's id. The zero Service is unknown. It is
// comparable and can be a map key.
type Service struct {
	Type ServiceType `json:"type"`
	ID   string      `json:"id"`
}

// String returns the text form, such as "opw-ID", and "unknown" for the zero
// Service.
func (s Service) String() string {
	if s.Type == 0 || s.Type >= anyService {
		return "unknown"
	}
	return serviceShort[s.Type] + "-" + s.ID
}

// IsZero reports whether the service is unknown.
func (s Service) IsZero() bool { return s.Type == 0 }

// ParseService reads the text form. The id may be empty or "*", and may hold
// any character, as in the original. The error is badData {key "service"}.
func ParseService(text string) (Service, error) {
	short, id, found := strings.Cut(text, "-")
	t, err := ParseServiceType(short)
	if !found || err != nil {
		return Service{}, badService()
	}
	return Service{t, id}, nil
}

func badService() error {
	return errors.BadDataHint("service", `expected "ozw-ID", "ozp-ID", "opw-ID" or "opp-ID"`)
}

// UnmarshalJSON reads {"type":TYPE,"id":ID}; other keys are ignored. The error
// is badData {key "service"}.
func (s *Service) UnmarshalJSON(data []byte) error {
	var o object
	if json.Unmarshal(data, &o) != nil {
		return badService()
	}
	name, _ := o.text("type")
	id, ok := o.text("id")
	var t ServiceType
	if t.UnmarshalText([]byte(name)) != nil || !ok {
		return badService()
	}
	*s = Service{t, id}
	return nil
}

// matches reports whether s, an entry of a caveat, matches the service.
func (s Service) matches(actual Service) bool {
	return s.Type == actual.Type && !actual.IsZero() && (s.ID == wildcard || s.ID == actual.ID)
}
