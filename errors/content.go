package errors

import "encoding/json"

// Errors of values that have rules of their own, such as names, and of larger
// documents.
const (
	IDBadValueFilePath ID = "badValueFilePath"
	IDBadValueFullName ID = "badValueFullName"
	IDBadValueUsername ID = "badValueUsername"
	IDBadValuePassword ID = "badValuePassword"
	IDBadValueName     ID = "badValueName"
	IDBadValueDomain   ID = "badValueDomain"
	IDBadValueCaveat   ID = "badValueCaveat"
)

// nameRules is the end of a sentence about a name.
const nameRules = "must be 2 to 128 characters long: letters, digits, brackets and underscores, " +
	"and inside also dashes, spaces and dots"

func contentErrors() []entry {
	return []entry{
		{IDBadValueFilePath, statusBadRequest, nil, described("Bad value: provided file path is not valid.")},
		{IDBadValueFullName, statusBadRequest, nil, described("Bad value: a full name must be 2 to 50 characters long: " +
			"letters and digits, and inside also spaces, dots, commas, dashes and apostrophes.")},
		{IDBadValueUsername, statusBadRequest, nil, described("Bad value: a user name must be 2 to 20 characters long: " +
			"letters and digits, and inside also dashes and underscores.")},
		{IDBadValuePassword, statusBadRequest, nil, described("Bad value: a password must have at least 8 characters and at most 1024 bytes, without control or unassigned characters.")},
		{"badValueEmail", statusBadRequest, nil, described("Bad value: provided e-mail address is not valid.")},
		{IDBadValueName, statusBadRequest, []field{optional(text("key"))}, []sentence{
			{text: "Bad value: provided {key} " + nameRules + "."},
			{text: "Bad value: a name " + nameRules + "."}}},
		{IDBadValueDomain, statusBadRequest, nil, described("Bad value: provided domain is not valid.")},
		{"badValueSubdomain", statusBadRequest, nil, described("Bad value: provided subdomain is not valid.")},
		{IDBadValueCaveat, statusBadRequest, []field{textOrObject("caveat")},
			described("Bad value: provided caveat is not valid: {caveat}.")},
		{"badValueQoSParameters", statusBadRequest, nil, described("Bad value: provided QoS parameters are not valid.")},
		{"timeSeriesCollectionMissingLayout", statusBadRequest, []field{object("missingLayout")},
			described("The time series collection lacks this part of the layout: {missingLayout}.")},
		{"timeSeriesCollectionTooManyMetrics", statusBadRequest, []field{integer("limit")},
			described("The time series collection must not have more than {limit} metrics.")},
		{"badValueTimeSeriesCollectionConflictingMetricConfig", statusBadRequest,
			[]field{text("timeSeriesName"), text("metricName"), object("existingMetricConfig"), object("conflictingMetricConfig")},
			described("Bad value: the configuration {conflictingMetricConfig} of the metric {metricName} in the time series " +
				"{timeSeriesName} conflicts with the existing configuration {existingMetricConfig}.")},
		{"badGuiPackage", statusBadRequest, nil, described("The GUI package could not be understood.")},
		{"guiPackageTooLarge", statusBadRequest, nil, described("The GUI package is too large.")},
		{"guiPackageUnverified", statusBadRequest, []field{text("shaSum")},
			described("The GUI package could not be verified: its checksum {shaSum} is not known.")},
		{"invalidQosExpression", statusBadRequest, []field{text("reason")},
			described("The QoS expression is not valid: {text:reason}.")},
		{"illegalSupportStageTransition", statusBadRequest, []field{text("currentProviderStage"), text("currentStorageStage")},
			described("The operation is not possible while the support is in the stage {currentProviderStage} at the provider " +
				"and {currentStorageStage} at the storage.")},
	}
}

// BadValueFilePath reports an invalid file path.
func BadValueFilePath() *Error { return newError(IDBadValueFilePath, nil) }

// BadValueFullName reports a full name that breaks the rules for full names.
func BadValueFullName() *Error { return newError(IDBadValueFullName, nil) }

// BadValueUsername reports a user name that breaks the rules for user names.
func BadValueUsername() *Error { return newError(IDBadValueUsername, nil) }

// BadValuePassword reports a password that breaks the rules for passwords.
func BadValuePassword() *Error { return newError(IDBadValuePassword, nil) }

// BadValueName reports a name that breaks the rules for names.
func BadValueName() *Error { return newError(IDBadValueName, nil) }

// BadValueDomain reports an invalid domain.
func BadValueDomain() *Error { return newError(IDBadValueDomain, nil) }

// BadValueCaveat reports a value that is not a valid caveat. The details hold
// the value itself if it is an object or a string in JSON, and its JSON text
// otherwise.
func BadValueCaveat(caveat any) *Error {
	shown := plainJSON(caveat)
	switch shown.(type) {
	case string, map[string]any:
	default:
		// Plain JSON always has a JSON form.
		raw, _ := json.Marshal(shown)
		shown = string(raw)
	}
	return newError(IDBadValueCaveat, details{"caveat": shown})
}
