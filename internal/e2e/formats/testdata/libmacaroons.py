"""The functions of libmacaroons, the C library of the authors of the idea."""
import ctypes

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

error = ctypes.c_int()


def sized(value):
    return value, len(value)


def serialize(macaroon):
    out = ctypes.create_string_buffer(lib.macaroon_serialize_size_hint(macaroon))
    if lib.macaroon_serialize(macaroon, out, len(out), error) != 0:
        raise SystemExit(f"the macaroon cannot be written: {error.value}")
    return out.value.decode()


def array(macaroons):
    return (pointer * len(macaroons))(*macaroons)
