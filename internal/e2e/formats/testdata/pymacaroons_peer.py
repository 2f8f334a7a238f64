"""A macaroon in the hands of pymacaroons.

Reads JSON from standard input. With "identifier", it makes a macaroon with the
"location", "identifier", "caveats" and "key", and a third-party caveat if there
is a "member", and prints it in the "format". With "macaroon", it reads that in
the "format", verifies it with the key, with the discharge of the third-party
caveat if there is a "member", checks that another key does not verify, adds a
"caveat", and prints the result.
"""
import json
import sys

from pymacaroons import MACAROON_V1, MACAROON_V2, Macaroon, Verifier
from pymacaroons.exceptions import MacaroonInvalidSignatureException
from pymacaroons.serializers import BinarySerializer, JsonSerializer

LOCATION, CONDITION = "https://members.example.org", "is a member"

given = json.load(sys.stdin)
version = MACAROON_V1 if given["format"].startswith("v1") else MACAROON_V2
serializer = JsonSerializer() if given["format"].endswith("json") else BinarySerializer()


def verify(macaroon, key):
    discharges = []
    if "member" in given:
        discharge = Macaroon(location=LOCATION, identifier=CONDITION, key=given["member"], version=version)
        discharges = [macaroon.prepare_for_request(discharge)]
    verifier = Verifier()
    verifier.satisfy_general(lambda caveat: True)
    verifier.verify(macaroon, key, discharges)


if "identifier" in given:
    macaroon = Macaroon(location=given["location"], identifier=given["identifier"], key=given["key"], version=version)
    for caveat in given["caveats"]:
        macaroon.add_first_party_caveat(caveat)
    if "member" in given:
        macaroon.add_third_party_caveat(LOCATION, given["member"], CONDITION)
else:
    macaroon = Macaroon.deserialize(given["macaroon"], serializer)
    verify(macaroon, given["key"])
    try:
        verify(macaroon, given["key"] + "0")
        sys.exit("a wrong key verifies")
    except MacaroonInvalidSignatureException:
        pass
    except Exception as e:  # the root key of the discharge cannot be decrypted
        if "member" not in given:
            raise
    macaroon.add_first_party_caveat(given["caveat"])
    verify(macaroon, given["key"])
print(macaroon.serialize(serializer))
