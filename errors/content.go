package errors

import "encoding/json"

// Errors of values that have rules of their own, such as names, and of larger documents.
const (
	IDBadValueFilePath                   ID = "badValueFilePath"
	IDBadValueFullName                   ID = "badValueFullName"
	IDBadValueUsername                   ID = "badValueUsername"
	IDBadValuePassword                   ID = "badValuePassword"
	IDBadValueEmail                      ID = "badValueEmail"
	IDBadValueName                       ID = "badValueName"
	IDBadValueDomain                     ID = "badValueDomain"
	IDBadValueSubdomain                  ID = "badValueSubdomain"
	IDBadValueCaveat                     ID = "badValueCaveat"
	IDBadValueQoSParameters              ID = "badValueQoSParameters"
	IDTimeSeriesCollectionMissingLayout  ID = "timeSeriesCollectionMissingLayout"
	IDTimeSeriesCollectionTooManyMetrics ID = "timeSeriesCollectionTooManyMetrics"
	IDBadGuiPackage                      ID = "badGuiPackage"
	IDGuiPackageTooLarge                 ID = "guiPackageTooLarge"
	IDGuiPackageUnverified               ID = "guiPackageUnverified"
	IDInvalidQosExpression               ID = "invalidQosExpression"
	IDIllegalSupportStageTransition      ID = "illegalSupportStageTransition"

	IDBadValueTimeSeriesCollectionConflictingMetricConfig ID = "badValueTimeSeriesCollectionConflictingMetricConfig"
)

// nameRules complete a sentence about a name.
const nameRules = "must be 2 to 128 characters long: letters, digits, brackets and underscores, " +
	"and inside also dashes, spaces and dots"

func contentErrors() []entry {
	return []entry{
		{IDBadValueFilePath, statusBadRequest, nil, simply("Bad value: provided file path is not valid.")},
		{IDBadValueFullName, statusBadRequest, nil, simply("Bad value: a full name must be 2 to 50 characters long: " +
			"letters and digits, and inside also spaces, dots, commas, dashes and apostrophes.")},
		{IDBadValueUsername, statusBadRequest, nil, simply("Bad value: a user name must be 2 to 20 characters long: " +
			"letters and digits, and inside also dashes and underscores.")},
		{IDBadValuePassword, statusBadRequest, nil, simply("Bad value: a password must have at least 8 characters and at most 1024 bytes, without control or unassigned characters.")},
		{IDBadValueEmail, statusBadRequest, nil, simply("Bad value: provided e-mail address is not valid.")},
		{IDBadValueName, statusBadRequest, []field{optional(text("key"))}, []sentence{
			{text: "Bad value: provided {key} " + nameRules + "."},
			{text: "Bad value: a name " + nameRules + "."}}},
		{IDBadValueDomain, statusBadRequest, nil, simply("Bad value: provided domain is not valid.")},
		{IDBadValueSubdomain, statusBadRequest, nil, simply("Bad value: provided subdomain is not valid.")},
		{IDBadValueCaveat, statusBadRequest, []field{textOrObject("caveat")},
			simply("Bad value: provided caveat is not valid: {caveat}.")},
		{IDBadValueQoSParameters, statusBadRequest, nil, simply("Bad value: provided QoS parameters are not valid.")},
		{IDTimeSeriesCollectionMissingLayout, statusBadRequest, []field{object("missingLayout")},
			simply("The time series collection lacks this part of the layout: {missingLayout}.")},
		{IDTimeSeriesCollectionTooManyMetrics, statusBadRequest, []field{integer("limit")},
			simply("The time series collection must not have more than {limit} metrics.")},
		{IDBadValueTimeSeriesCollectionConflictingMetricConfig, statusBadRequest,
			[]field{text("timeSeriesName"), text("metricName"), object("existingMetricConfig"), object("conflictingMetricConfig")},
			simply("Bad value: the configuration {conflictingMetricConfig} of the metric {metricName} in the time series " +
				"{timeSeriesName} conflicts with the existing configuration {existingMetricConfig}.")},
		{IDBadGuiPackage, statusBadRequest, nil, simply("The GUI package could not be understood.")},
		{IDGuiPackageTooLarge, statusBadRequest, nil, simply("The GUI package is too large.")},
		{IDGuiPackageUnverified, statusBadRequest, []field{text("shaSum")},
			simply("The GUI package could not be verified: its checksum {shaSum} is not known.")},
		{IDInvalidQosExpression, statusBadRequest, []field{text("reason")},
			simply("The QoS expression is not valid: {text:reason}.")},
		{IDIllegalSupportStageTransition, statusBadRequest, []field{text("currentProviderStage"), text("currentStorageStage")},
			simply("The operation is not possible while the support is in the stage {currentProviderStage} at the provider " +
				"and {currentStorageStage} at the storage.")},
	}
}

// BadValueFilePath reports an invalid file path.
func BadValueFilePath() *Error { return raise(IDBadValueFilePath, nil) }

// BadValueFullName reports a full name that breaks the rules for full names.
func BadValueFullName() *Error { return raise(IDBadValueFullName, nil) }

// BadValueUsername reports a user name that breaks the rules for user names.
func BadValueUsername() *Error { return raise(IDBadValueUsername, nil) }

// BadValuePassword reports a password that breaks the rules for passwords.
func BadValuePassword() *Error { return raise(IDBadValuePassword, nil) }

// BadValueEmail reports an invalid e-mail address.
func BadValueEmail() *Error { return raise(IDBadValueEmail, nil) }

// BadValueName reports a name, of the thing that the request is about, that breaks the rules for names.
func BadValueName() *Error { return raise(IDBadValueName, nil) }

// BadValueNameOf is [BadValueName] for the name under the given key.
func BadValueNameOf(key string) *Error { return keyed(IDBadValueName, key) }

// BadValueDomain reports an invalid domain.
func BadValueDomain() *Error { return raise(IDBadValueDomain, nil) }

// BadValueSubdomain reports an invalid subdomain.
func BadValueSubdomain() *Error { return raise(IDBadValueSubdomain, nil) }

// BadValueCaveat reports what was given in the place of a caveat. It is shown as it is if it is an object or a
// string in JSON, and otherwise as the text of its JSON.
func BadValueCaveat(caveat any) *Error {
	shown := plainJSON(caveat)
	switch shown.(type) {
	case string, map[string]any:
	default:
		// Plain JSON always has a JSON form.
		raw, _ := json.Marshal(shown)
		shown = string(raw)
	}
	return raise(IDBadValueCaveat, details{"caveat": shown})
}

// BadValueQoSParameters reports invalid QoS parameters.
func BadValueQoSParameters() *Error { return raise(IDBadValueQoSParameters, nil) }

// TimeSeriesCollectionMissingLayout reports what a time series collection lacks: names of metrics by the name of
// their time series.
func TimeSeriesCollectionMissingLayout(missingLayout map[string][]string) *Error {
	layout := make(map[string]any, len(missingLayout))
	for series, metrics := range missingLayout {
		layout[series] = plainStrings(metrics)
	}
	return raise(IDTimeSeriesCollectionMissingLayout, details{"missingLayout": layout})
}

// TimeSeriesCollectionTooManyMetrics reports a time series collection with more metrics than the limit.
func TimeSeriesCollectionTooManyMetrics(limit int) *Error {
	return raise(IDTimeSeriesCollectionTooManyMetrics, details{"limit": int64(limit)})
}

// BadValueTimeSeriesCollectionConflictingMetricConfig reports a metric that is configured already in another way.
// The configurations are anything that marshals to a JSON object.
func BadValueTimeSeriesCollectionConflictingMetricConfig(timeSeriesName, metricName string, existing, conflicting any) *Error {
	return raise(IDBadValueTimeSeriesCollectionConflictingMetricConfig, details{
		"timeSeriesName":          timeSeriesName,
		"metricName":              metricName,
		"existingMetricConfig":    plainJSON(existing),
		"conflictingMetricConfig": plainJSON(conflicting),
	})
}

// BadGuiPackage reports a GUI package that was not understood.
func BadGuiPackage() *Error { return raise(IDBadGuiPackage, nil) }

// GuiPackageTooLarge reports a GUI package that is too large.
func GuiPackageTooLarge() *Error { return raise(IDGuiPackageTooLarge, nil) }

// GuiPackageUnverified reports a GUI package with an unknown checksum.
func GuiPackageUnverified(shaSum string) *Error {
	return raise(IDGuiPackageUnverified, details{"shaSum": shaSum})
}

// InvalidQosExpression reports an invalid QoS expression. The reason is a clause that can follow a colon.
func InvalidQosExpression(reason string) *Error {
	return raise(IDInvalidQosExpression, details{"reason": reason})
}

// IllegalSupportStageTransition reports an operation that is impossible in these stages of support.
func IllegalSupportStageTransition(currentProviderStage, currentStorageStage string) *Error {
	return raise(IDIllegalSupportStageTransition, details{
		"currentProviderStage": currentProviderStage,
		"currentStorageStage":  currentStorageStage,
	})
}
