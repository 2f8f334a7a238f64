"""A macaroon in the hands of libmacaroons, the C library of the authors of the idea.

Takes the input of pymacaroons_peer.py. Debian's library has version 1 only.
"""
import ctypes
import json
import sys

LOCATION, CONDITION = b"https://members.example.org", b"is a member"

lib = ctypes.CDLL("libmacaroons.so.0")
pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
code = ctypes.POINTER(ctypes.c_int)
CHECK = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, size)
for name, result, arguments in [
    ("macaroon_create", pointer, [text, size, text, size, text, size, code]),
    ("macaroon_deserialize", pointer, [text, code]),
    ("macaroon_add_first_party_caveat", pointer, [pointer, text, size, code]),
    ("macaroon_add_third_party_caveat", pointer, [pointer, text, size, text, size, text, size, code]),
    ("macaroon_prepare_for_request", pointer, [pointer, pointer, code]),
    ("macaroon_serialize_size_hint", size, [pointer]),
    ("macaroon_serialize", ctypes.c_int, [pointer, text, size, code]),
    ("macaroon_verifier_create", pointer, []),
    ("macaroon_verifier_satisfy_general", ctypes.c_int, [pointer, CHECK, pointer, code]),
    ("macaroon_verify", ctypes.c_int, [pointer, pointer, text, size, ctypes.POINTER(pointer), size, code]),
]:
    getattr(lib, name).restype, getattr(lib, name).argtypes = result, arguments

any_caveat = CHECK(lambda _, caveat, length: 0)
error = ctypes.c_int()
given = json.load(sys.stdin)
key = given["key"].encode()


def sized(value):
    return value, len(value)


def verifies(macaroon, key):
    discharges = []
    if "member" in given:
        discharge = lib.macaroon_create(*sized(LOCATION), *sized(given["member"].encode()), *sized(CONDITION), error)
        discharges = [lib.macaroon_prepare_for_request(macaroon, discharge, error)]
    verifier = lib.macaroon_verifier_create()
    lib.macaroon_verifier_satisfy_general(verifier, any_caveat, None, error)
    array = (pointer * len(discharges))(*discharges)
    return lib.macaroon_verify(verifier, macaroon, *sized(key), array, len(discharges), error) == 0


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
out = ctypes.create_string_buffer(lib.macaroon_serialize_size_hint(macaroon))
if lib.macaroon_serialize(macaroon, out, len(out), error) != 0:
    sys.exit(f"the macaroon cannot be written: {error.value}")
print(out.value.decode())
