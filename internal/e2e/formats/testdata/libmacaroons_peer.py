"""A macaroon in the hands of libmacaroons, the C library of the authors of the idea.

Takes the input of pymacaroons_peer.py. Debian's library has version 1 only.
"""
import json
import sys

from libmacaroons import CHECK, array, error, lib, serialize, sized

LOCATION, CONDITION = b"https://members.example.org", b"is a member"

any_caveat = CHECK(lambda _, caveat, length: 0)
given = json.load(sys.stdin)
key = given["key"].encode()


def verifies(macaroon, key):
    discharges = []
    if "member" in given:
        discharge = lib.macaroon_create(*sized(LOCATION), *sized(given["member"].encode()), *sized(CONDITION), error)
        discharges = [lib.macaroon_prepare_for_request(macaroon, discharge, error)]
    verifier = lib.macaroon_verifier_create()
    lib.macaroon_verifier_satisfy_general(verifier, any_caveat, None, error)
    return lib.macaroon_verify(verifier, macaroon, *sized(key), array(discharges), len(discharges), error) == 0


if "identifier" in given:
    macaroon = lib.macaroon_create(*sized(given["location"].encode()), *sized(key), *sized(given["identifier"].encode()), error)
    for caveat in given["caveats"]:
        macaroon = lib.macaroon_add_first_party_caveat(macaroon, *sized(caveat.encode()), error)
    if "member" in given:
        macaroon = lib.macaroon_add_third_party_caveat(
            macaroon, *sized(LOCATION), *sized(given["member"].encode()), *sized(CONDITION), error)
else:
    macaroon = lib.macaroon_deserialize(given["macaroon"].encode(), error)
    if not macaroon:
        sys.exit(f"the macaroon cannot be read: {error.value}")
    if not verifies(macaroon, key):
        sys.exit(f"the macaroon does not verify: {error.value}")
    if verifies(macaroon, key + b"0"):
        sys.exit("a wrong key verifies")
    macaroon = lib.macaroon_add_first_party_caveat(macaroon, *sized(given["caveat"].encode()), error)
    if not macaroon or not verifies(macaroon, key):
        sys.exit(f"the confined macaroon does not verify: {error.value}")
print(serialize(macaroon))
