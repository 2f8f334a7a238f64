// Package gate tests the gate behind real proxies, with the configurations of
// docs/gate.md. It contains only tests.
package gate
