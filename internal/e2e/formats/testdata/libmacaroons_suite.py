"""Makes and verifies many macaroons with libmacaroons.

Takes the input of pymacaroons_suite.py. Debian's library has version 1 only.
"""
import ctypes
import json
import sys

from libmacaroons import CHECK, array, error, lib, serialize, sized


def make(spec):
    macaroon = lib.macaroon_create(
        *sized(spec["location"].encode()), *sized(spec["key"].encode()), *sized(spec["identifier"].encode()), error)
    for caveat in spec["caveats"]:
        if caveat.get("key"):
            macaroon = lib.macaroon_add_third_party_caveat(
                macaroon, *sized(caveat["location"].encode()), *sized(caveat["key"].encode()), *sized(caveat["text"].encode()), error)
        else:
            macaroon = lib.macaroon_add_first_party_caveat(macaroon, *sized(caveat["text"].encode()), error)
    return macaroon


def make_all(scenario):
    root, discharges = make(scenario["root"]), []
    for spec in scenario["discharges"]:
        discharge = make(spec)
        if spec.get("boundTo"):
            discharge = lib.macaroon_prepare_for_request(make(spec["boundTo"]), discharge, error)
        elif not spec["unbound"]:
            discharge = lib.macaroon_prepare_for_request(root, discharge, error)
        discharges.append(serialize(discharge))
    return {"macaroon": serialize(root), "discharges": discharges}


def verify(case):
    def holds(_, condition, length):
        condition = ctypes.string_at(condition, length).decode()
        if condition.startswith("time < "):
            return 0 if case["now"] < int(condition.removeprefix("time < ")) else 1
        return 0 if condition in (case["exact"] or []) else 1

    check = CHECK(holds)
    macaroon = lib.macaroon_deserialize(case["macaroon"].encode(), error)
    discharges = [lib.macaroon_deserialize(text.encode(), error) for text in case["discharges"] or []]
    if not macaroon or not all(discharges):
        return "unreadable"
    verifier = lib.macaroon_verifier_create()
    lib.macaroon_verifier_satisfy_general(verifier, check, None, error)
    verdict = lib.macaroon_verify(verifier, macaroon, *sized(case["key"].encode()), array(discharges), len(discharges), error)
    return "authorized" if verdict == 0 else "unauthorized"


given = json.load(sys.stdin)
json.dump({"made": [make_all(s) for s in given["scenarios"] or []], "verdicts": [verify(c) for c in given["cases"] or []]}, sys.stdout)
