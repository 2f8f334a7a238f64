package errors

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// foreign lists the errors of other services: id, status, and the keys of the
// details.
const foreign = `
userNotSupported 403
autoCleaningDisabled 400
filePopularityDisabled 400
spaceNotSupportedBy 400 spaceId providerId
notALocalStorageSupportingSpace 400 providerId storageId spaceId
storageInUse 400
requiresAutoStorageImportMode 400
storageTestFailed 400 operation
requiresNonImportedStorage 400 storageId
requiresImportedStorage 400 storageId
requiresReadonlyStorage 400 storageIdOrType
requiresPosixCompatibleStorage 400 storageId posixCompatibleStorages
autoStorageImportNotSupported 400 storageId supportedStorages supportedObjectStorages
storageImportNotSupported 400 storageId objectStorages
statOperationNotSupported 400 storageId
transferAlreadyEnded 400
transferNotEnded 400
viewNotExistsOn 400 providerId
viewQueryFailed 400 category description
quotaExceeded 400
dirStatsDisabledForSpace 400
dirStatsNotReady 400
forbiddenForCurrentArchiveState 400 currentState allowedStates
nestedArchiveDeletionForbidden 400 parentArchiveId
recallTargetConflict 400
notSupportedForSymlinks 400
forbiddenWithHint 403 hint
atmUnsupportedDataType 400 type allowed
atmDataTypeUnverified 400 value expType
atmDataValueConstraintUnverified 400 value type valueConstraints
atmStoreCreationFailed 400 atmStoreSchemaId specificError
atmStoreMissingRequiredInitialContent 400
atmStoreFrozen 403 atmStoreSchemaId
atmStoreTypeDisallowed 400 atmStoreSchemaId allowed
atmStoreContentNotSet 400 atmStoreSchemaId
atmStoreNotFound 400 atmStoreSchemaId
atmWorkflowEmpty 400
atmWorkflowExecutionStopping 400
atmWorkflowExecutionStopped 400
atmWorkflowExecutionNotStopped 400
atmWorkflowExecutionEnded 400
atmWorkflowExecutionNotEnded 400
atmWorkflowExecutionNotResumable 400
atmLaneEmpty 400 atmLaneSchemaId
atmLaneExecutionCreationFailed 400 atmLaneSchemaId specificError
atmLaneExecutionInitiationFailed 400 atmLaneSchemaId specificError
atmLaneExecutionRetryFailed 400
atmLaneExecutionRerunFailed 400
atmParallelBoxEmpty 400 atmParallelBoxSchemaId
atmParallelBoxExecutionCreationFailed 400 atmParallelBoxSchemaId specificError
atmParallelBoxExecutionInitiationFailed 400 atmParallelBoxSchemaId specificError
atmTaskExecutionCreationFailed 400 atmTaskSchemaId specificError
atmTaskExecutionInitiationFailed 400 atmTaskSchemaId specificError
atmLambdaConfigBadValue 400 parameterName specificError
atmTaskArgMapperForRequiredLambdaArgMissing 400 argument
atmTaskArgMapperForNonexistentLambdaArg 400 argument
atmTaskArgMappingFailed 400 argument specificError
atmTaskArgMapperUnsupportedValueBuilder 400 type supported
atmTaskArgMapperIteratedItemQueryFailed 400 value query
atmTaskResultMissing 400 missingResultName receivedResultNames
atmTaskResultMappingFailed 400 result specificError
atmTaskResultDispatchFailed 400 atmStoreSchemaId specificError
atmTaskExecutionEnded 400
atmJobBatchWithdrawn 404 reason
atmJobBatchCrashed 500 reason
atmOpenfaasNotConfigured 400
atmOpenfaasUnreachable 400
atmOpenfaasUnhealthy 503
atmOpenfaasQueryFailed 400
atmOpenfaasFunctionRegistrationFailed 400
atmInvalidStatusTransition 400 prevStatus newStatus
errorOnNodes 404 error hostnames
dnsServersUnreachable 503 servers
fileAllocation 400 actualSize targetSize
letsEncryptNotReachable 503
letsEncryptResponse 400 problemDocument errorMessage
nodeAlreadyInCluster 400 hostname
nodeNotCompatible 400 hostname clusterType
noConnectionToNewNode 400 hostname
noServiceNodes 400 service
userNotInCluster 403
`

func TestErrorsOfOtherServicesAreKept(t *testing.T) {
	t.Parallel()
	listed := make(map[ID]bool)
	for line := range strings.SplitSeq(strings.TrimSpace(foreign), "\n") {
		words := strings.Fields(line)
		id, keys := words[0], words[2:]
		listed[ID(id)] = true
		members := make([]string, len(keys))
		for i, key := range keys {
			value := `"x"`
			if key == "specificError" || key == "error" {
				value = `{"id":"notFound"}`
			}
			members[i] = fmt.Sprintf("%q:%s", key, value)
		}
		object := fmt.Sprintf(`{"id":%q`, id)
		if len(keys) > 0 {
			object += `,"details":{` + strings.Join(members, ",") + `}`
		}
		object += "}"

		e := mustRead(t, object)
		assert.Nil(t, e.original, "%s is not recognized", object)
		assert.Equal(t, words[1], fmt.Sprint(e.HTTPStatus()), "%s", id)
		assert.NotContains(t, e.Description, id, "%s has no sentence of its own", id)
		written, err := json.Marshal(e)
		require.NoError(t, err)
		assert.JSONEq(t, object, undescribed(t, written))

		for i := range keys {
			without := slices.Delete(slices.Clone(members), i, i+1)
			e := mustRead(t, fmt.Sprintf(`{"id":%q,"details":{%s}}`, id, strings.Join(without, ",")))
			assert.NotNil(t, e.original, "%s is recognized without %s", id, keys[i])
			assert.Equal(t, 500, e.HTTPStatus(), "%s", id)
		}
	}
	for _, e := range parseEntries(forwardedErrors) {
		assert.True(t, listed[e.id], "%s is in the catalogue only", e.id)
	}
}
