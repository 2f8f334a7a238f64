package errors

// Graph Sync errors.
const (
	IDExpectedHandshakeMessage ID = "expectedHandshakeMessage"
	IDHandshakeAlreadyDone     ID = "handshakeAlreadyDone"
	IDBadVersion               ID = "badVersion"
	IDBadGRI                   ID = "badGRI"
	IDRPCUndefined             ID = "rpcUndefined"
	IDNotSubscribable          ID = "notSubscribable"
)

func graphSyncErrors() []entry {
	return []entry{
		{IDExpectedHandshakeMessage, statusBadRequest, nil, simply("The first message of a connection must be a handshake.")},
		{IDHandshakeAlreadyDone, statusBadRequest, nil, simply("The handshake was done already.")},
		{IDBadVersion, statusBadRequest, []field{list("supportedVersions")},
			simply("The protocol version is not supported. The supported versions are: {supportedVersions}.")},
		{IDBadGRI, statusBadRequest, nil, simply("The graph resource identifier (GRI) is not valid.")},
		{IDRPCUndefined, statusBadRequest, nil, simply("There is no such remote operation.")},
		{IDNotSubscribable, statusBadRequest, nil, simply("The resource cannot be subscribed to.")},
	}
}

// ExpectedHandshakeMessage reports a message before the handshake.
func ExpectedHandshakeMessage() *Error { return raise(IDExpectedHandshakeMessage, nil) }

// HandshakeAlreadyDone reports a second handshake.
func HandshakeAlreadyDone() *Error { return raise(IDHandshakeAlreadyDone, nil) }

// BadVersion reports a protocol version other than the supported ones.
func BadVersion(supportedVersions ...int) *Error {
	versions := make([]any, len(supportedVersions))
	for i, v := range supportedVersions {
		versions[i] = int64(v)
	}
	return raise(IDBadVersion, details{"supportedVersions": versions})
}

// BadGRI reports a graph resource identifier that is not valid.
func BadGRI() *Error { return raise(IDBadGRI, nil) }

// RPCUndefined reports a remote operation that does not exist.
func RPCUndefined() *Error { return raise(IDRPCUndefined, nil) }

// NotSubscribable reports a resource that cannot be subscribed to.
func NotSubscribable() *Error { return raise(IDNotSubscribable, nil) }
