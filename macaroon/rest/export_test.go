package rest

// Routes returns the table of the API: method and path of each route.
func Routes() []string {
	var list []string
	for _, r := range routes() {
		list = append(list, r.method+" "+r.path)
	}
	return list
}

// Resources returns the operation and resource of each route.
func Resources() map[string]string {
	m := make(map[string]string)
	for _, r := range routes() {
		m[r.method+" "+r.path] = r.operation.String() + " " + r.gri
	}
	return m
}
