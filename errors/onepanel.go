package errors

// onepanelErrors lists the errors of Onepanel. This module does not return
// them, but can read and forward them.
func onepanelErrors() []entry {
	hostname := anyJSON("hostname")
	return []entry{
		{"errorOnNodes", statusOfNested, []field{nested("error"), anyJSON("hostnames")},
			because("The operation failed on these nodes: {hostnames}", "error")},
		{"dnsServersUnreachable", statusUnavailable, []field{anyJSON("servers")},
			described("None of these DNS servers could be reached: {servers}.")},
		{"fileAllocation", statusBadRequest, []field{anyJSON("actualSize"), anyJSON("targetSize")},
			described("The file could not be allocated: it has {actualSize} of {targetSize} bytes.")},
		{"letsEncryptNotReachable", statusUnavailable, nil, described("Let's Encrypt cannot be reached.")},
		{"letsEncryptResponse", statusBadRequest, []field{anyJSON("problemDocument"), anyJSON("errorMessage")},
			described("Let's Encrypt answered with an error: {text:errorMessage}.")},
		{"nodeAlreadyInCluster", statusBadRequest, []field{hostname},
			described("The node {hostname} belongs to a cluster already.")},
		{"nodeNotCompatible", statusBadRequest, []field{hostname, anyJSON("clusterType")},
			described("The node {hostname} is no node for a cluster of the type {clusterType}.")},
		{"noConnectionToNewNode", statusBadRequest, []field{hostname},
			described("The new node {hostname} cannot be reached.")},
		{"noServiceNodes", statusBadRequest, []field{anyJSON("service")},
			described("No node runs the service {service}.")},
		{"userNotInCluster", statusForbidden, nil, described("The user is not a member of the cluster.")},
	}
}
