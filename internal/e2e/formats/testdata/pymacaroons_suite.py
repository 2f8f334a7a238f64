"""Makes and verifies many macaroons with pymacaroons.

Reads JSON from standard input: "scenarios" are macaroons to make, each with its
discharges, in "version"; "cases" are macaroons to verify. Prints what was
"made", and the "verdicts" of the cases.
"""
import json
import sys

from pymacaroons import MACAROON_V1, MACAROON_V2, Macaroon, Verifier

given = json.load(sys.stdin)
version = MACAROON_V1 if given["version"] == 1 else MACAROON_V2


def make(spec):
    macaroon = Macaroon(location=spec["location"], identifier=spec["identifier"], key=spec["key"], version=version)
    for caveat in spec["caveats"]:
        if caveat.get("key"):
            macaroon.add_third_party_caveat(caveat["location"], caveat["key"], caveat["text"])
        else:
            macaroon.add_first_party_caveat(caveat["text"])
    return macaroon


def make_all(scenario):
    root, discharges = make(scenario["root"]), []
    for spec in scenario["discharges"]:
        discharge = make(spec)
        if spec.get("boundTo"):
            discharge = make(spec["boundTo"]).prepare_for_request(discharge)
        elif not spec["unbound"]:
            discharge = root.prepare_for_request(discharge)
        discharges.append(discharge.serialize())
    return {"macaroon": root.serialize(), "discharges": discharges}


def verify(case):
    def holds(condition):
        if condition.startswith("time < "):
            return case["now"] < int(condition.removeprefix("time < "))
        return condition in (case["exact"] or [])

    try:
        macaroon = Macaroon.deserialize(case["macaroon"])
        discharges = [Macaroon.deserialize(text) for text in case["discharges"] or []]
    except Exception:
        return "unreadable"
    verifier = Verifier()
    verifier.satisfy_general(holds)
    try:
        verifier.verify(macaroon, case["key"], discharges)
    except Exception:  # it has no common type: some come from the decryption, some from endless recursion
        return "unauthorized"
    return "authorized"


json.dump({"made": [make_all(s) for s in given["scenarios"] or []], "verdicts": [verify(c) for c in given["cases"] or []]}, sys.stdout)
