package errors

// onepanelErrors lists the errors of Onepanel.
func onepanelErrors() []entry {
	return []entry{
		forwarded("errorOnNodes", "The operation failed on these nodes: {hostnames}: {error}.").as(statusOfNested),
		forwarded("dnsServersUnreachable",
			"None of these DNS servers could be reached: {servers}.").as(statusUnavailable),
		forwarded("fileAllocation", "The file could not be allocated: it has {actualSize} of {targetSize} bytes."),
		forwarded("letsEncryptNotReachable", "Let's Encrypt cannot be reached.").as(statusUnavailable),
		{"letsEncryptResponse", statusBadRequest, []field{anyJSON("problemDocument"), anyJSON("errorMessage")},
			described("Let's Encrypt answered with an error: {text:errorMessage}.")},
		forwarded("nodeAlreadyInCluster", "The node {hostname} belongs to a cluster already."),
		forwarded("nodeNotCompatible", "The node {hostname} is no node for a cluster of the type {clusterType}."),
		forwarded("noConnectionToNewNode", "The new node {hostname} cannot be reached."),
		forwarded("noServiceNodes", "No node runs the service {service}."),
		forwarded("userNotInCluster", "The user is not a member of the cluster.").as(statusForbidden),
	}
}
