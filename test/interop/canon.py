"""The canonical JSON of sample values: one spelling for each value, so that two languages can compare by it.

    None, bool, str      as in JSON
    int                  {"$int": "decimal digits"}
    float                {"$float": "the 16 hex digits of the double, big endian", "repr": text for people}
    bytes                {"$bytes": base64}, or {"$bytes_sha256", "length"} past INLINE bytes
    list, tuple          JSON array
    dict                 {"$map": [[key, value], ...]} in stored order; a dict of arrays by name
    ndarray              {"$ndarray": {"dtype", "shape", "data"}}: numpy's dtype.str, and the elements in C order as
                         base64, or "data_sha256" and "nbytes" past INLINE bytes
"""

import base64
import hashlib
import struct

import numpy as np

INLINE = 65536


def spell(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.generic):
        return spell(value.item())
    if isinstance(value, int):
        return {"$int": str(value)}
    if isinstance(value, float):
        return {"$float": struct.pack(">d", value).hex(), "repr": repr(value)}
    if isinstance(value, complex):
        return {"$complex": [spell(value.real), spell(value.imag)]}
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        if len(data) > INLINE:
            return {"$bytes_sha256": hashlib.sha256(data).hexdigest(), "length": len(data)}
        return {"$bytes": base64.b64encode(data).decode()}
    if isinstance(value, np.ndarray):
        data = value.tobytes()
        array = {"dtype": value.dtype.str, "shape": list(value.shape)}
        if len(data) > INLINE:
            return {"$ndarray": array | {"data_sha256": hashlib.sha256(data).hexdigest(), "nbytes": len(data)}}
        return {"$ndarray": array | {"data": base64.b64encode(data).decode()}}
    if isinstance(value, (list, tuple)):
        return [spell(item) for item in value]
    if isinstance(value, dict):
        items = list(value.items())
        if items and all(isinstance(item, np.ndarray) for item in value.values()):
            items.sort()
        return {"$map": [[spell(key), spell(item)] for key, item in items]}
    raise TypeError(f"no canonical spelling for {type(value)}")


def parse(spelled):
    if isinstance(spelled, list):
        return [parse(item) for item in spelled]
    if not isinstance(spelled, dict):
        return spelled  # plain JSON numbers too, for descriptions written by hand
    tag, body = next(iter(spelled.items()))
    if tag == "$int":
        return int(body)
    if tag == "$float":
        return struct.unpack(">d", bytes.fromhex(body))[0]
    if tag == "$bytes":
        return base64.b64decode(body)
    if tag == "$map":
        return {parse(key): parse(item) for key, item in body}
    if tag == "$ndarray":
        data = np.frombuffer(base64.b64decode(body["data"]), np.dtype(body["dtype"]))
        return data.reshape(body["shape"]).copy()
    raise ValueError(f"cannot parse {tag}")
