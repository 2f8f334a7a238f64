package errors

// onepanelErrors lists the errors of Onepanel. They are here to be read and passed on.
func onepanelErrors() []entry {
	hostname := anything("hostname")
	return []entry{
		{"errorOnNodes", statusOfNested, []field{nested("error"), anything("hostnames")},
			because("The operation failed on these nodes: {hostnames}", "error")},
		{"dnsServersUnreachable", statusUnavailable, []field{anything("servers")},
			simply("None of these DNS servers could be reached: {servers}.")},
		{"fileAllocation", statusBadRequest, []field{anything("actualSize"), anything("targetSize")},
			simply("The file could not be allocated: it has {actualSize} of {targetSize} bytes.")},
		{"letsEncryptNotReachable", statusUnavailable, nil, simply("Let's Encrypt cannot be reached.")},
		{"letsEncryptResponse", statusBadRequest, []field{anything("problemDocument"), anything("errorMessage")},
			simply("Let's Encrypt answered with an error: {text:errorMessage}.")},
		{"nodeAlreadyInCluster", statusBadRequest, []field{hostname},
			simply("The node {hostname} belongs to a cluster already.")},
		{"nodeNotCompatible", statusBadRequest, []field{hostname, anything("clusterType")},
			simply("The node {hostname} is no node for a cluster of the type {clusterType}.")},
		{"noConnectionToNewNode", statusBadRequest, []field{hostname},
			simply("The new node {hostname} cannot be reached.")},
		{"noServiceNodes", statusBadRequest, []field{anything("service")},
			simply("No node runs the service {service}.")},
		{"userNotInCluster", statusForbidden, nil, simply("The user is not a member of the cluster.")},
	}
}
