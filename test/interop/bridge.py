"""Reads and writes shards with Python's atdata and webdataset, for tests: a request on stdin, the answer on stdout.

    {"do": "read", "folder", "schema"?}
        -> {file: {"webdataset": {"samples": [{"key", "fields"}], "error"}, "atdata": {"samples": [fields], "error"}}}
    {"do": "write", "folder", "with": "atdata", "samples": [fields], "schema"?, "path"?, "maxcount"?, "manifest"?}
    {"do": "write", "folder", "with": "webdataset", "samples": [{"__key__", suffix: value}], "path"?, "mtime"?, "compress"?}
        -> [names of the files written]

Values are spelled as canon.py says. A schema is a local schema record; without one atdata uses its DictSample. An error
of Python is told beside the samples that came before it.
"""

import contextlib
import json
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
import atdata  # noqa: E402
import webdataset  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from canon import parse, spell  # noqa: E402

PRIMITIVES = {"str": str, "int": int, "float": float, "bool": bool, "bytes": bytes}


def annotation(field_type):
    kind = field_type["$type"].split("#")[-1]
    if kind == "primitive":
        return PRIMITIVES[field_type["primitive"]]
    if kind == "array":
        return list[annotation(field_type["items"])]
    return NDArray if kind == "ndarray" else bytes


def declared(schema):
    """The class that a Python user would declare for a schema record.

    atdata can build one as well, but fails on an optional field before a required one, and leaves an optional array as
    bytes.
    """
    hints = {}
    for field in schema["fields"]:
        hint = annotation(field["fieldType"])
        hints[field["name"]] = hint | None if field.get("optional") else hint
    return atdata.packable(type(schema["name"], (), {"__annotations__": hints}))


def collect(samples):
    """All samples up to an error, and the error."""
    got = []
    try:
        got.extend(samples)  # keeps what came before the error
    except Exception as error:
        return {"samples": got, "error": f"{type(error).__name__}: {error}"}
    return {"samples": got, "error": None}


def with_webdataset(path):
    for sample in webdataset.DataPipeline(webdataset.SimpleShardList([path]), webdataset.tarfile_to_samples()):
        fields = {name: spell(value) for name, value in sample.items() if not name.startswith("__")}
        yield {"key": sample["__key__"], "fields": fields}


def with_atdata(path, sample_type):
    for sample in atdata.Dataset[sample_type](path).ordered():
        fields = sample.to_dict() if isinstance(sample, atdata.DictSample) else vars(sample)
        yield {name: spell(value) for name, value in fields.items()}


def read(request):
    sample_type = declared(request["schema"]) if request.get("schema") else atdata.DictSample
    shards = sorted(path for path in Path(request["folder"]).iterdir() if ".tar" in path.name)
    return {
        path.name: {
            "webdataset": collect(with_webdataset(str(path))),
            "atdata": collect(with_atdata(str(path), sample_type)),
        }
        for path in shards
    }


def write(request):
    folder = Path(request["folder"])
    samples = [{name: parse(value) for name, value in sample.items()} for sample in request["samples"]]
    path = folder / request.get("path", "data.tar")
    options = {name: request[name] for name in ("maxcount", "maxsize", "manifest", "mtime", "compress") if name in request}
    if request["with"] == "webdataset":
        with webdataset.TarWriter(str(path), **options) as writer:
            for sample in samples:
                writer.write(sample)
    else:
        schema = request.get("schema")
        sample_type = declared(schema) if schema else None
        made = [sample_type(**sample) if sample_type else atdata.DictSample(sample) for sample in samples]
        atdata.write_samples(made, path, **options)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    request = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):  # both packages print
        answer = {"read": read, "write": write}[request["do"]](request)
    json.dump(answer, sys.stdout)
