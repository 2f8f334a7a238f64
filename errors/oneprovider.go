package errors

// oneproviderErrors lists the errors of Oneproviders. This module does not
// return them, but can read and forward them.
func oneproviderErrors() []entry {
	return []entry{
		forwarded("userNotSupported", "The Oneprovider supports none of the spaces of this user.").as(statusForbidden),
		forwarded("autoCleaningDisabled", "Automatic cleaning is switched off for this space."),
		forwarded("filePopularityDisabled", "The statistics on file popularity are switched off for this space."),
		forwarded("spaceNotSupportedBy", "The space {spaceId} is not supported by the Oneprovider {providerId}."),
		forwarded("notALocalStorageSupportingSpace",
			"The storage {storageId} does not support the space {spaceId}, or is not a storage of the Oneprovider {providerId}."),
		forwarded("storageInUse", "The storage is in use: it supports a space."),
		forwarded("requiresAutoStorageImportMode", "The operation needs a storage with automatic import."),
		forwarded("storageTestFailed", "A test of the storage failed in the operation {operation}."),
		forwarded("requiresNonImportedStorage",
			"The operation needs a storage that is not imported, which {storageId} is."),
		forwarded("requiresImportedStorage", "The operation needs an imported storage, which {storageId} is not."),
		forwarded("requiresReadonlyStorage", "The storage {storageIdOrType} can only be used as read-only."),
		forwarded("requiresPosixCompatibleStorage",
			"The storage {storageId} is not POSIX compatible. These types are: {posixCompatibleStorages}."),
		forwarded("autoStorageImportNotSupported",
			"The storage {storageId} cannot be imported automatically. These types can: {supportedStorages}; "+
				"and these object storages: {supportedObjectStorages}."),
		forwarded("storageImportNotSupported",
			"The storage {storageId} cannot be imported. Object storages need canonical paths: {objectStorages}."),
		forwarded("statOperationNotSupported", "The storage {storageId} has no stat operation."),
		forwarded("transferAlreadyEnded", "The transfer has ended already."),
		forwarded("transferNotEnded", "The transfer has not ended yet."),
		forwarded("viewNotExistsOn", "The view does not exist at the Oneprovider {providerId}."),
		forwarded("viewQueryFailed", "The query of the view failed: {description} (category {category})."),
		forwarded("quotaExceeded", "The quota of the space is exhausted."),
		forwarded("dirStatsDisabledForSpace", "Directory statistics are switched off for this space."),
		forwarded("dirStatsNotReady", "The directory statistics are not ready yet. Try again later."),
		forwarded("forbiddenForCurrentArchiveState",
			"The operation is not possible on an archive in the state {currentState}. It is in these: {allowedStates}."),
		forwarded("nestedArchiveDeletionForbidden",
			"The archive belongs to the archive {parentArchiveId} and cannot be deleted alone."),
		forwarded("recallTargetConflict", "Another recall is going on at or above the target."),
		forwarded("notSupportedForSymlinks", "The operation is not possible on symbolic links."),
	}
}
