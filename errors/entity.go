package errors

// entityErrors lists the errors of the entities that Onezone keeps. Errors
// about basic authentication are in auth.go.
func entityErrors() []entry {
	entity := []field{text("entityType"), text("entityId")}
	relation := []field{text("childType"), text("childId"), text("parentType"), text("parentId")}
	return []entry{
		{"subdomainDelegationNotSupported", statusBadRequest, nil, described("This Onezone does not support subdomain delegation.")},
		{"subdomainDelegationDisabled", statusBadRequest, nil, described("Subdomain delegation is switched off for this Oneprovider.")},
		{"spaceMarketplaceDisabled", statusBadRequest, nil, described("The space marketplace is switched off.")},
		{"protectedGroup", statusForbidden, nil, described("The group is protected and cannot be deleted.")},
		{"atmLambdaInUse", statusForbidden, []field{list("atmWorkflowSchemas")},
			described("The lambda is in use by these workflow schemas: {atmWorkflowSchemas}.")},
		{"cannotRemoveLastOwner", statusBadRequest, entity,
			described("The last owner of {text:entityType} {entityId} cannot be removed. Appoint another owner first.")},
		{"cannotDeleteEntity", statusInternal, entity,
			described("{text:entityType} {entityId} cannot be deleted, because something that depends on it could not be. Try again later.")},
		{"cannotAddRelationToSelf", statusBadRequest, nil, described("An entity cannot be related to itself.")},
		{"relationDoesNotExist", statusBadRequest, relation,
			described("There is no relation between {text:childType} {childId} and {text:parentType} {parentId}.")},
		{"relationAlreadyExists", statusConflict, relation,
			described("The relation between {text:childType} {childId} and {text:parentType} {parentId} exists already.")},
		{"spaceAlreadySupportedWithImportedStorage", statusConflict, []field{text("spaceId"), text("storageId")},
			described("The space {spaceId} is supported already, with the imported storage {storageId}.")},
		{"cannotDeleteNonEmptyHandleService", statusBadRequest, nil,
			described("The handle service still has handles. Delete them first.")},
	}
}
