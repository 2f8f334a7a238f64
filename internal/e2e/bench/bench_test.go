package main

import "testing"

func BenchmarkPeers(b *testing.B)      { runAll(b, comparison()) }
func BenchmarkFormats(b *testing.B)    { runAll(b, formats()) }
func BenchmarkDischarges(b *testing.B) { runAll(b, discharges()) }
func BenchmarkGrowth(b *testing.B)     { runAll(b, growth()) }
func BenchmarkStored(b *testing.B)     { runAll(b, storage(10, 1_000_000)) }
func BenchmarkRemote(b *testing.B)     { runAll(b, remoteVerification()) }

func runAll(b *testing.B, cs []contender) {
	for _, c := range cs {
		b.Run(c.name, c.run)
	}
}
