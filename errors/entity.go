package errors

// Errors of the entities that Onezone keeps. The errors about basic authentication are among those of
// authentication.
const (
	IDSubdomainDelegationNotSupported          ID = "subdomainDelegationNotSupported"
	IDSubdomainDelegationDisabled              ID = "subdomainDelegationDisabled"
	IDSpaceMarketplaceDisabled                 ID = "spaceMarketplaceDisabled"
	IDProtectedGroup                           ID = "protectedGroup"
	IDAtmLambdaInUse                           ID = "atmLambdaInUse"
	IDCannotRemoveLastOwner                    ID = "cannotRemoveLastOwner"
	IDCannotDeleteEntity                       ID = "cannotDeleteEntity"
	IDCannotAddRelationToSelf                  ID = "cannotAddRelationToSelf"
	IDRelationDoesNotExist                     ID = "relationDoesNotExist"
	IDRelationAlreadyExists                    ID = "relationAlreadyExists"
	IDSpaceAlreadySupportedWithImportedStorage ID = "spaceAlreadySupportedWithImportedStorage"
	IDCannotDeleteNonEmptyHandleService        ID = "cannotDeleteNonEmptyHandleService"
)

func entityErrors() []entry {
	entity := []field{text("entityType"), text("entityId")}
	relation := []field{text("childType"), text("childId"), text("parentType"), text("parentId")}
	return []entry{
		{IDSubdomainDelegationNotSupported, statusBadRequest, nil, simply("This Onezone does not support subdomain delegation.")},
		{IDSubdomainDelegationDisabled, statusBadRequest, nil, simply("Subdomain delegation is switched off for this Oneprovider.")},
		{IDSpaceMarketplaceDisabled, statusBadRequest, nil, simply("The space marketplace is switched off.")},
		{IDProtectedGroup, statusForbidden, nil, simply("The group is protected and cannot be deleted.")},
		{IDAtmLambdaInUse, statusForbidden, []field{list("atmWorkflowSchemas")},
			simply("The lambda is in use by these workflow schemas: {atmWorkflowSchemas}.")},
		{IDCannotRemoveLastOwner, statusBadRequest, entity,
			simply("The last owner of {text:entityType} {entityId} cannot be removed. Appoint another owner first.")},
		{IDCannotDeleteEntity, statusInternal, entity,
			simply("{text:entityType} {entityId} cannot be deleted, because something that depends on it could not be. Try again later.")},
		{IDCannotAddRelationToSelf, statusBadRequest, nil, simply("An entity cannot be related to itself.")},
		{IDRelationDoesNotExist, statusBadRequest, relation,
			simply("There is no relation between {text:childType} {childId} and {text:parentType} {parentId}.")},
		{IDRelationAlreadyExists, statusConflict, relation,
			simply("The relation between {text:childType} {childId} and {text:parentType} {parentId} exists already.")},
		{IDSpaceAlreadySupportedWithImportedStorage, statusConflict, []field{text("spaceId"), text("storageId")},
			simply("The space {spaceId} is supported already, with the imported storage {storageId}.")},
		{IDCannotDeleteNonEmptyHandleService, statusBadRequest, nil,
			simply("The handle service still has handles. Delete them first.")},
	}
}

// SubdomainDelegationNotSupported reports that there is no subdomain delegation here.
func SubdomainDelegationNotSupported() *Error { return raise(IDSubdomainDelegationNotSupported, nil) }

// SubdomainDelegationDisabled reports that the Oneprovider has no subdomain delegation.
func SubdomainDelegationDisabled() *Error { return raise(IDSubdomainDelegationDisabled, nil) }

// SpaceMarketplaceDisabled reports that there is no space marketplace here.
func SpaceMarketplaceDisabled() *Error { return raise(IDSpaceMarketplaceDisabled, nil) }

// ProtectedGroup reports a group that cannot be deleted.
func ProtectedGroup() *Error { return raise(IDProtectedGroup, nil) }

// AtmLambdaInUse reports an automation lambda that workflow schemas, given by id, make use of.
func AtmLambdaInUse(atmWorkflowSchemas ...string) *Error {
	return raise(IDAtmLambdaInUse, details{"atmWorkflowSchemas": plainStrings(atmWorkflowSchemas)})
}

// CannotRemoveLastOwner reports that an entity would be left without an owner. The type is the internal one:
// "od_space".
func CannotRemoveLastOwner(entityType, entityID string) *Error {
	return raise(IDCannotRemoveLastOwner, details{"entityType": entityType, "entityId": entityID})
}

// CannotDeleteEntity reports that what depends on an entity keeps it from being deleted. The type is the internal
// one: "od_space".
func CannotDeleteEntity(entityType, entityID string) *Error {
	return raise(IDCannotDeleteEntity, details{"entityType": entityType, "entityId": entityID})
}

// CannotAddRelationToSelf reports an attempt to relate an entity to itself.
func CannotAddRelationToSelf() *Error { return raise(IDCannotAddRelationToSelf, nil) }

// RelationDoesNotExist reports a missing relation. The types are the internal ones: "od_user".
func RelationDoesNotExist(childType, childID, parentType, parentID string) *Error {
	return relationError(IDRelationDoesNotExist, childType, childID, parentType, parentID)
}

// RelationAlreadyExists reports a relation that exists. The types are the public ones: "user".
func RelationAlreadyExists(childType, childID, parentType, parentID string) *Error {
	return relationError(IDRelationAlreadyExists, childType, childID, parentType, parentID)
}

func relationError(id ID, childType, childID, parentType, parentID string) *Error {
	return raise(id, details{
		"childType": childType, "childId": childID,
		"parentType": parentType, "parentId": parentID,
	})
}

// SpaceAlreadySupportedWithImportedStorage reports that a space has an imported storage.
func SpaceAlreadySupportedWithImportedStorage(spaceID, storageID string) *Error {
	return raise(IDSpaceAlreadySupportedWithImportedStorage, details{"spaceId": spaceID, "storageId": storageID})
}

// CannotDeleteNonEmptyHandleService reports a handle service that still has handles.
func CannotDeleteNonEmptyHandleService() *Error {
	return raise(IDCannotDeleteNonEmptyHandleService, nil)
}
