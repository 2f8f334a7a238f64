"""A token in the hands of pymacaroons.

Reads {"token", "secret", "caveat"} in JSON from standard input: the text of a
Onezone token, the text of its secret, and a caveat. Verifies the signature, adds
the caveat, verifies again, and prints the text of what came out.
"""
import json
import re
import sys

from pymacaroons import Macaroon, Verifier
from pymacaroons.exceptions import MacaroonInvalidSignatureException

UNESCAPED = {"00": "0", "01": "_", "02": "-"}
ESCAPED = {plain: escaped for escaped, plain in UNESCAPED.items()}


def unescape(text):
    return re.sub("0.", lambda pair: UNESCAPED[pair[0]], text)


def escape(text):
    return re.sub("[0_-]", lambda char: ESCAPED[char[0]], text.rstrip("="))


def verify(macaroon, secret):
    verifier = Verifier()
    verifier.satisfy_general(lambda caveat: True)
    verifier.verify(macaroon, secret)


given = json.load(sys.stdin)
macaroon = Macaroon.deserialize(unescape(given["token"]))
verify(macaroon, given["secret"])
try:
    verify(macaroon, given["secret"] + "0")
    sys.exit("a wrong secret verifies")
except MacaroonInvalidSignatureException:
    pass
macaroon.add_first_party_caveat(given["caveat"])
verify(macaroon, given["secret"])
print(escape(macaroon.serialize()))
