package errors

// entityErrors lists the errors of the entities that Onezone keeps. The errors about basic authentication are among
// those of authentication.
func entityErrors() []entry {
	entity := []field{text("entityType"), text("entityId")}
	relation := []field{text("childType"), text("childId"), text("parentType"), text("parentId")}
	return []entry{
		{"subdomainDelegationNotSupported", statusBadRequest, nil, simply("This Onezone does not support subdomain delegation.")},
		{"subdomainDelegationDisabled", statusBadRequest, nil, simply("Subdomain delegation is switched off for this Oneprovider.")},
		{"spaceMarketplaceDisabled", statusBadRequest, nil, simply("The space marketplace is switched off.")},
		{"protectedGroup", statusForbidden, nil, simply("The group is protected and cannot be deleted.")},
		{"atmLambdaInUse", statusForbidden, []field{list("atmWorkflowSchemas")},
			simply("The lambda is in use by these workflow schemas: {atmWorkflowSchemas}.")},
		{"cannotRemoveLastOwner", statusBadRequest, entity,
			simply("The last owner of {text:entityType} {entityId} cannot be removed. Appoint another owner first.")},
		{"cannotDeleteEntity", statusInternal, entity,
			simply("{text:entityType} {entityId} cannot be deleted, because something that depends on it could not be. Try again later.")},
		{"cannotAddRelationToSelf", statusBadRequest, nil, simply("An entity cannot be related to itself.")},
		{"relationDoesNotExist", statusBadRequest, relation,
			simply("There is no relation between {text:childType} {childId} and {text:parentType} {parentId}.")},
		{"relationAlreadyExists", statusConflict, relation,
			simply("The relation between {text:childType} {childId} and {text:parentType} {parentId} exists already.")},
		{"spaceAlreadySupportedWithImportedStorage", statusConflict, []field{text("spaceId"), text("storageId")},
			simply("The space {spaceId} is supported already, with the imported storage {storageId}.")},
		{"cannotDeleteNonEmptyHandleService", statusBadRequest, nil,
			simply("The handle service still has handles. Delete them first.")},
	}
}
