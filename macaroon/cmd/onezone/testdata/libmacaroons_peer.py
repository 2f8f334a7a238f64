"""A token in the hands of libmacaroons, the C library of the authors of the idea.

Reads {"token", "secret", "caveat"} in JSON from standard input: the text of a
Onezone token, the text of its secret, and a caveat. Verifies the signature, adds
the caveat, verifies again, and prints the text of what came out.
"""
import ctypes
import json
import re
import sys

UNESCAPED = {"00": "0", "01": "_", "02": "-"}
ESCAPED = {plain: escaped for escaped, plain in UNESCAPED.items()}

lib = ctypes.CDLL("libmacaroons.so.0")
pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
code = ctypes.POINTER(ctypes.c_int)
CHECK = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, size)
for name, result, arguments in [
    ("macaroon_deserialize", pointer, [text, code]),
    ("macaroon_add_first_party_caveat", pointer, [pointer, text, size, code]),
    ("macaroon_serialize_size_hint", size, [pointer]),
    ("macaroon_serialize", ctypes.c_int, [pointer, text, size, code]),
    ("macaroon_verifier_create", pointer, []),
    ("macaroon_verifier_satisfy_general", ctypes.c_int, [pointer, CHECK, pointer, code]),
    ("macaroon_verify", ctypes.c_int, [pointer, pointer, text, size, pointer, size, code]),
]:
    getattr(lib, name).restype, getattr(lib, name).argtypes = result, arguments

any_caveat = CHECK(lambda _, caveat, length: 0)
error = ctypes.c_int()


def verifies(macaroon, secret):
    verifier = lib.macaroon_verifier_create()
    lib.macaroon_verifier_satisfy_general(verifier, any_caveat, None, error)
    return lib.macaroon_verify(verifier, macaroon, secret, len(secret), None, 0, error) == 0


given = json.load(sys.stdin)
plain = re.sub("0.", lambda pair: UNESCAPED[pair[0]], given["token"])
secret, caveat = given["secret"].encode(), given["caveat"].encode()

macaroon = lib.macaroon_deserialize(plain.encode(), error)
if not macaroon:
    sys.exit(f"the token cannot be read: {error.value}")
if not verifies(macaroon, secret):
    sys.exit(f"the token does not verify: {error.value}")
if verifies(macaroon, secret + b"0"):
    sys.exit("a wrong secret verifies")
macaroon = lib.macaroon_add_first_party_caveat(macaroon, caveat, len(caveat), error)
if not macaroon or not verifies(macaroon, secret):
    sys.exit(f"the confined token does not verify: {error.value}")
out = ctypes.create_string_buffer(lib.macaroon_serialize_size_hint(macaroon))
if lib.macaroon_serialize(macaroon, out, len(out), error) != 0:
    sys.exit(f"the token cannot be written: {error.value}")
print(re.sub("[0_-]", lambda char: ESCAPED[char[0]], out.value.decode().rstrip("=")))
