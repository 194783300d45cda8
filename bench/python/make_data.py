#!/usr/bin/env python3
"""Write the benchmark data sets, in atdata's own shard format, with Python atdata itself.

    python make_data.py --out DIR [--sets small,image,embedding] [--scale 1.0]

DIR/<set>/data-000000.tar ... data-000003.tar and DIR/<set>/meta.json.

Every value comes from a fixed seed, and the clock that atdata and webdataset read
(member mtime, uuid1 keys) is replaced by a counter, so the same package versions
write the same bytes on every machine.

  small      4 shards x 10,000 samples: id int, name str, score float, flag bool, tags list[str]
  image      4 shards x  1,000 samples: image uint8[128,128,4] (64 KB), label int
  embedding  4 shards x  5,000 samples: embedding float32[768], id str
"""
import argparse
import contextlib
import io
import json
import time
import uuid
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import atdata


@atdata.packable
class SmallSample:
    id: int
    name: str
    score: float
    flag: bool
    tags: list[str]


@atdata.packable
class ImageSample:
    image: NDArray
    label: int


@atdata.packable
class EmbeddingSample:
    embedding: NDArray
    id: str


TYPES = {"small": SmallSample, "image": ImageSample, "embedding": EmbeddingSample}
PER_SHARD = {"small": 10_000, "image": 1_000, "embedding": 5_000}
SHARDS = 4
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "théta", "ιώτα", "κ")


def gen(name: str, n: int):
    rng = np.random.default_rng({"small": 101, "image": 202, "embedding": 303}[name])
    for i in range(n):
        if name == "small":
            k = int(rng.integers(0, 4))
            yield SmallSample(
                id=i,
                name=f"{WORDS[int(rng.integers(0, len(WORDS)))]}-{i:06d}",
                score=float(rng.standard_normal()),
                flag=bool(rng.integers(0, 2)),
                tags=[WORDS[int(t)] for t in rng.integers(0, len(WORDS), k)],
            )
        elif name == "image":
            yield ImageSample(
                image=rng.integers(0, 256, (128, 128, 4), dtype=np.uint8),
                label=int(rng.integers(0, 1000)),
            )
        else:
            yield EmbeddingSample(
                embedding=rng.standard_normal(768, dtype=np.float32), id=f"doc-{i:08d}"
            )


@contextlib.contextmanager
def fixed_clock(start: float = 1_700_000_000.123456):
    """Replace the clock by a counter: 1 ms a call, so mtimes and keys are reproducible."""
    state = {"t": start}
    real = time.time, time.time_ns
    last = getattr(uuid, "_last_timestamp", None)

    def fake_time():
        state["t"] += 0.001
        return state["t"]

    time.time, time.time_ns = fake_time, lambda: int(fake_time() * 1e9)
    uuid._last_timestamp = None
    try:
        yield
    finally:
        time.time, time.time_ns = real
        uuid._last_timestamp = last


def write_set(name: str, out: Path, scale: float) -> dict:
    per = max(1, int(PER_SHARD[name] * scale))
    n = per * SHARDS
    d = out / name
    d.mkdir(parents=True, exist_ok=True)
    with fixed_clock(), contextlib.redirect_stdout(io.StringIO()):
        atdata.write_samples(gen(name, n), d / "data.tar", maxcount=per)
    shards = sorted(d.glob("data-*.tar"))
    payload = sum(len(s.packed) for s in gen(name, n))
    meta = {
        "set": name,
        "samples": n,
        "per_shard": per,
        "shards": [p.name for p in shards],
        "payload_bytes": payload,
        "tar_bytes": sum(p.stat().st_size for p in shards),
    }
    (d / "meta.json").write_text(json.dumps(meta, indent=1))
    return meta


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", required=True)
    ap.add_argument("--sets", default="small,image,embedding")
    ap.add_argument("--scale", type=float, default=1.0, help="0.01 for a smoke test")
    a = ap.parse_args()
    for s in a.sets.split(","):
        m = write_set(s, Path(a.out), a.scale)
        print(json.dumps({k: m[k] for k in ("set", "samples", "payload_bytes", "tar_bytes")}))


if __name__ == "__main__":
    main()
