//go:build e2e

// Package regressions names the publicly known weaknesses of macaroon and token
// libraries, and shows that this project does not have them. Each test is seen to
// fail: testdata/weakened takes the guard of each weakness away, and
// TestEachGuardIsNeeded builds and runs these tests without the guards.
package regressions

import "testing"

// weakness is a publicly known weakness of other libraries.
type weakness struct {
	name string
	// known describes the weakness, and sources says where it was.
	known   string
	sources []string
	// refused fails the test if this project has the weakness.
	refused func(t *testing.T)
}

var weaknesses = []weakness{
	{
		name: "conditions-before-signature",
		known: "Conditions of a macaroon are checked before its signature, so that anybody can have them interpreted, and learns " +
			"from the error what they mean.",
		sources: []string{"https://github.com/go-macaroon/macaroon: macaroon.go, verificationContext.verify0"},
		refused: conditionsAreCheckedAfterTheSignature,
	},
	{
		name:    "attenuation-fails-silently",
		known:   "AddFirstPartyCaveat drops the error of a caveat that cannot be added, and reports success.",
		sources: []string{"https://github.com/go-macaroon/macaroon: macaroon.go, Macaroon.AddFirstPartyCaveat"},
		refused: attenuationAddsTheCaveatOrFails,
	},
	{
		name: "unmet-caveats-are-skipped",
		known: "A caveat that is not met is left out of the signature, so that a macaroon to which somebody added it without " +
			"signing it verifies.",
		sources: []string{
			"https://github.com/ecordell/pymacaroons: pymacaroons/verifier.py, Verifier._verify_caveats",
			"https://github.com/nitram509/macaroons.js: src/main/ts/MacaroonsVerifier.ts, macaroon_verify_inner",
		},
		refused: unsignedCaveatsAreRefused,
	},
	{
		name:    "third-party-caveats-are-optional",
		known:   "Macaroons verify without the discharges of their third-party caveats.",
		sources: []string{"https://github.com/nitram509/jmacaroons/issues/1"},
		refused: thirdPartyCaveatsNeedDischarges,
	},
	{
		name:  "short-identifiers-panic",
		known: "An empty or short identifier is indexed without a look at its length, so that it stops the server.",
		sources: []string{
			"https://github.com/go-macaroon-bakery/macaroon-bakery: bakery/oven.go, Oven.decodeMacaroonId",
		},
		refused: shortIdentifiersAreRefused,
	},
	{
		name:    "malformed-caveat-identifiers-panic",
		known:   "The identifier of a third-party caveat in JSON without a public key is a nil pointer that stops the discharger.",
		sources: []string{"https://github.com/go-macaroon-bakery/macaroon-bakery: bakery/codec.go, decodeCaveatV1"},
		refused: malformedCaveatIdentifiersAreRefused,
	},
	{
		name:  "zero-length-packets",
		known: "A packet of version 1 with the length 0 does not advance the reader, which then never ends.",
		sources: []string{
			"https://github.com/rescrv/libmacaroons: packet.c, parse_packet; v1.c, macaroon_deserialize_v1",
			"https://github.com/JornWildt/Macaroons.Net/issues/3",
		},
		refused: packetsWithoutLengthAreRefused,
	},
	{
		name: "verification-id-overflow",
		known: "The size of a verification id is only asserted before it is copied into an array: a longer one stops the verifier, " +
			"or writes past the array in a build without assertions. Others cut it.",
		sources: []string{
			"https://github.com/rescrv/libmacaroons: macaroons.c, macaroon_verify_inner_3rd",
			"https://github.com/nitram509/macaroons.js: src/main/ts/MacaroonsVerifier.ts, macaroon_verify_inner_3rd",
		},
		refused: verificationIDsHaveOneSize,
	},
	{
		name: "base64-has-variants",
		known: "One token has several texts, because unused bits and white space in base64 are ignored. Lists of revoked texts " +
			"miss the others.",
		sources: []string{
			"https://github.com/pypi/warehouse/issues/6265",
			"https://github.com/rescrv/libmacaroons: base64.c, b64_pton",
		},
		refused: base64HasNoVariants,
	},
	{
		name:    "sizes-have-variants",
		known:   "One macaroon of version 2 has several forms, because sizes may be padded with zero bits.",
		sources: []string{"https://github.com/go-macaroon/macaroon: packet-v2.go, parseVarint"},
		refused: sizesHaveOneForm,
	},
	{
		name:    "trailing-bytes",
		known:   "Bytes after the signature are ignored.",
		sources: []string{"https://github.com/go-macaroon/macaroon: marshal.go, Macaroon.UnmarshalBinary"},
		refused: nothingFollowsTheSignature,
	},
	{
		name:    "repeated-packets",
		known:   "Of repeated and misordered packets the last one counts, so that two readers see two macaroons.",
		sources: []string{"https://github.com/ecordell/pymacaroons: pymacaroons/serializers/binary_serializer.py, _deserialize_v1"},
		refused: packetsAreNotRepeated,
	},
	{
		name:  "repeated-json-keys",
		known: "Of repeated keys in JSON the last one counts, so that two readers see two macaroons.",
		sources: []string{
			"https://github.com/golang/go/issues/14750",
			"https://github.com/go-macaroon/macaroon: marshal.go, Macaroon.UnmarshalJSON",
		},
		refused: keysAreNotRepeated,
	},
	{
		name:  "case-folded-json-keys",
		known: "Keys in JSON are found in upper and lower case, so that two readers see two macaroons.",
		sources: []string{
			"https://github.com/golang/go/issues/14750",
			"https://github.com/square/go-jose/issues/73",
		},
		refused: keysAreNotFolded,
	},
	{
		name: "caveat-names-match-by-prefix",
		known: "A checker looks only at the beginning of a caveat, or for a name anywhere in it, and takes a caveat that it does " +
			"not know for one that holds.",
		sources: []string{
			"https://github.com/matrix-org/synapse: synapse/api/auth.py, Auth.validate_macaroon (v.satisfy_general with startswith)",
			"https://github.com/nitram509/macaroons.js: src/main/ts/verifier/TimestampCaveatVerifier.ts",
			"https://github.com/nitram509/jmacaroons: TimestampCaveatVerifier.java, which ignores what follows the time",
		},
		refused: caveatNamesMatchAsAWhole,
	},
	{
		name:    "unknown-keys-are-cached-for-ever",
		known:   "The answer that a root key does not exist is cached without an expiry: tokens of a key created later are refused.",
		sources: []string{"https://github.com/go-macaroon-bakery/macaroon-bakery: bakery/dbrootkeystore/rootkey.go, RootKeys.get"},
		refused: unknownKeysAreAskedForAgain,
	},
	{
		name: "discharges-with-one-identifier",
		known: "Of several discharges with one identifier only one has to verify: their results are combined with a bitwise and, or " +
			"the last one replaces the others. The conditions of the others are skipped.",
		sources: []string{
			"https://github.com/rescrv/libmacaroons: macaroons.c, macaroon_verify_inner_3rd",
			"https://github.com/ecordell/pymacaroons: pymacaroons/caveat_delegates/third_party.py, ThirdPartyCaveatVerifierDelegate",
			"https://github.com/macaroon-rs/macaroon: src/verifier.rs, Verifier.verify",
		},
		refused: dischargesHaveDistinctIdentifiers,
	},
	{
		name:    "nested-discharges-are-not-bound",
		known:   "The discharge of a caveat of a discharge is bound to that discharge rather than to the token, or to nothing.",
		sources: []string{"https://github.com/ecordell/pymacaroons/issues/37"},
		refused: nestedDischargesAreBoundToTheToken,
	},
	{
		name: "locations-are-followed",
		known: "A client asks for a discharge wherever the location of a caveat, which is not signed, points, with the user's " +
			"credentials and from inside of the user's network.",
		sources: []string{
			"https://github.com/go-macaroon-bakery/macaroon-bakery: httpbakery/client.go, Client.acquireDischarge",
			"https://github.com/superfly/macaroon: tp/client.go, Client.doInitRequest",
		},
		refused: onlyListedLocationsAreAsked,
	},
	{
		name:    "redirects-are-followed",
		known:   "A discharger redirects the client to any address, and the client sends its headers there.",
		sources: []string{"https://github.com/go-macaroon-bakery/macaroon-bakery: httpbakery/client.go, NewHTTPClient"},
		refused: redirectsAreNotFollowed,
	},
	{
		name:  "empty-root-key",
		known: "An empty key signs and verifies, so that a service without a key accepts the tokens of everybody.",
		sources: []string{
			"https://github.com/golang-jwt/jwt/issues/283",
			"https://github.com/golang-jwt/jwt/issues/385",
			"https://github.com/superfly/macaroon: crypto.go, sign",
		},
		refused: emptyKeysAreRefused,
	},
	{
		name:    "predictable-root-key",
		known:   "A service without a key falls back to a predictable one.",
		sources: []string{"CVE-2019-5885: https://matrix.org/blog/2019/01/15/further-details-on-critical-security-update-in-synapse-affecting-all-versions-prior-to-0-34-1-cve-2019-5885/"},
		refused: rootKeysAreRandom,
	},
	{
		name:  "signatures-are-compared-byte-by-byte",
		known: "The comparison of signatures ends at the first byte that differs, so that its time tells how many bytes are right.",
		sources: []string{
			"https://github.com/nitram509/jmacaroons/issues/6",
			"https://github.com/nitram509/macaroons.js: src/main/ts/BufferTools.ts, equals",
		},
		refused: signaturesAreComparedInConstantTime,
	},
	{
		name:  "parsing-amplifies",
		known: "A header of separators is split before anything is counted, into 16 bytes of memory for each of its bytes.",
		sources: []string{
			"CVE-2025-30204: https://github.com/golang-jwt/jwt/security/advisories/GHSA-mh63-6h87-95cp",
			"CVE-2025-27144: https://github.com/go-jose/go-jose before 4.0.5",
		},
		refused: parsingDoesNotAmplify,
	},
}

func TestKnownWeaknesses(t *testing.T) {
	for _, w := range weaknesses {
		t.Run(w.name, func(t *testing.T) {
			t.Setenv(weaknessVariable, w.name) // without effect, except in a weakened build
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("panic: %v", p)
				}
			}()
			w.refused(t)
			if t.Failed() {
				t.Logf("%s\n%q", w.known, w.sources)
			}
		})
	}
}
