package errors

// IDBadGRI is the one Graph Sync error with a constructor.
const IDBadGRI ID = "badGRI"

// graphSyncErrors lists the errors of the Graph Sync protocol.
func graphSyncErrors() []entry {
	return []entry{
		{"expectedHandshakeMessage", statusBadRequest, nil, described("The first message of a connection must be a handshake.")},
		{"handshakeAlreadyDone", statusBadRequest, nil, described("The handshake was done already.")},
		{"badVersion", statusBadRequest, []field{list("supportedVersions")},
			described("The protocol version is not supported. The supported versions are: {supportedVersions}.")},
		{IDBadGRI, statusBadRequest, nil, described("The graph resource identifier (GRI) is not valid.")},
		{"rpcUndefined", statusBadRequest, nil, described("There is no such remote operation.")},
		{"notSubscribable", statusBadRequest, nil, described("The resource cannot be subscribed to.")},
	}
}

// BadGRI reports a graph resource identifier that is not valid.
func BadGRI() *Error { return newError(IDBadGRI, nil) }
