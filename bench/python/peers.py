#!/usr/bin/env python3
"""Run one Python peer over one data set: the other side of every comparison.

    python make_data.py --out DATA
    echo '{"task": "read", "seconds": 1}' | python peers.py --data DATA/small --peer atdata --work WORK

Each line on stdin asks for a round of one task: as many passes as fit into `seconds` of CPU time, at least one, and with
`ahead` one more before, which does not count. The answer is a line with samples, CPU seconds (user + system, all threads), wall seconds, and `check`: a sum over what was
read that must be equal for all readers of a set.

peers   atdata webdataset mds litdata hf-wds hf-parquet hf-arrow grain
tasks   read     every sample, one at a time, arrays decoded to numpy
        batch    batches of 64, arrays stacked into one numpy array
        shuffle  like batch, in shuffled order
        write    all samples (already in memory), in the peer's own format

A peer with its own format reads a converted copy kept in --work. The conversion is not measured and has a process of
its own.
"""
import argparse
import contextlib
import io
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
warnings.filterwarnings("ignore")

import msgpack
import numpy as np

ARRAY_FIELD = {"small": None, "image": "image", "embedding": "embedding"}
MDS_COLUMNS = {
    "small": {"id": "int", "name": "str", "score": "float64", "flag": "uint8", "tags": "json"},
    "image": {"image": "ndarray:uint8:128,128,4", "label": "int"},
    "embedding": {"embedding": "ndarray:float32:768", "id": "str"},
}


# --- shared helpers ---------------------------------------------------------------------
def decode_array(b: bytes) -> np.ndarray:
    """atdata's compact ndarray layout -> numpy (a view; atdata itself copies)."""
    dl = b[0]
    nd = b[1 + dl]
    o = 2 + dl
    shape = np.frombuffer(b, "<i8", nd, o)
    return np.frombuffer(b, np.dtype(b[1 : 1 + dl].decode()), offset=o + nd * 8).reshape(shape)


def decode_payload(b: bytes, arr: str | None) -> dict:
    d = msgpack.unpackb(b)
    if arr:
        d[arr] = decode_array(d[arr])
    return d


def iter_source(data: Path, meta: dict, raw: bool = False):
    arr = ARRAY_FIELD[meta["set"]]
    for name in meta["shards"]:
        with tarfile.open(data / name, "r|") as tf:
            for ti in tf:
                b = tf.extractfile(ti).read()
                yield b if raw else decode_payload(b, arr)
                tf.members = []


class Check:
    """Touch every sample: one integer that depends on the content, not on the order."""

    def __init__(self, kind: str):
        self.kind, self.n, self.sum = kind, 0, 0

    def one(self, get):
        self.n += 1
        if self.kind == "small":
            self.sum += int(get("id")) + len(get("name")) + len(get("tags")) + int(get("flag"))
        elif self.kind == "image":
            self.sum += int(get("label")) + int(get("image")[0, 0, 0])
        else:
            self.sum += int(get("id")[4:]) + (1 if get("embedding")[0] > 0 else 0)

    def many(self, get):
        if self.kind == "small":
            ids, names, tags, flags = get("id"), get("name"), get("tags"), get("flag")
            self.n += len(ids)
            self.sum += int(sum(ids)) + sum(map(len, names)) + sum(map(len, tags)) + int(sum(flags))
        elif self.kind == "image":
            x = get("image")
            assert x.ndim == 4, x.shape
            self.n += len(x)
            self.sum += int(sum(get("label"))) + int(x[:, 0, 0, 0].astype(np.int64).sum())
        else:
            x = get("embedding")
            assert x.ndim == 2, x.shape
            self.n += len(x)
            self.sum += sum(int(i[4:]) for i in get("id")) + int((x[:, 0] > 0).sum())


def batches(it, size: int):
    it = (x for x in it)  # a generator stays exhausted; litdata's iterator hangs if asked again past its end
    while chunk := list(itertools.islice(it, size)):
        yield chunk


def collate(chunk: list[dict]) -> dict:
    out = {}
    for k, v in chunk[0].items():
        vals = [s[k] for s in chunk]
        out[k] = np.stack(vals) if isinstance(v, np.ndarray) and v.ndim else vals
    return out


# --- peers ------------------------------------------------------------------------------
class Peer:
    own_format = False

    def __init__(self, data: Path, meta: dict, work: Path, batch: int):
        self.data, self.meta, self.batch = data, meta, batch
        self.kind, self.arr = meta["set"], ARRAY_FIELD[meta["set"]]
        self.dir = work / f"{type(self).__name__.lower()}-{self.kind}"
        self.urls = [str(data / s) for s in meta["shards"]]

    def convert(self):
        pass

    def samples(self):  # in memory, for the write task
        return [s if not self.arr else s | {self.arr: s[self.arr].copy()} for s in iter_source(self.data, self.meta)]

    # default: batch = hand-made batches over the peer's own iterator
    def read(self):
        c = Check(self.kind)
        for s in self.iterate(False):
            c.one(s.__getitem__)
        return c

    def batched(self, shuffle):
        c = Check(self.kind)
        for chunk in batches(self.iterate(shuffle), self.batch):
            c.many(collate(chunk).__getitem__)
        return c


class Atdata(Peer):
    def __init__(self, *a):
        super().__init__(*a)
        import atdata  # noqa
        import make_data

        self.at, self.type = atdata, make_data.TYPES[self.kind]
        lo, hi = self.urls[0], self.urls[-1]
        i = len(lo) - len("000000.tar")
        self.url = f"{lo[:i]}{{{lo[i:-4]}..{hi[i:-4]}}}.tar" if len(self.urls) > 1 else lo

    def ds(self):
        return self.at.Dataset[self.type](self.url)

    def read(self):
        c = Check(self.kind)
        for s in self.ds().ordered():
            c.one(s.__getattribute__)
        return c

    def batched(self, shuffle):
        c = Check(self.kind)
        ds = self.ds()
        it = ds.shuffled(batch_size=self.batch) if shuffle else ds.ordered(batch_size=self.batch)
        for b in it:
            c.many(lambda k: getattr(b, k))
        return c

    def samples(self):
        return list(self.ds().ordered())

    def write(self, samples, out: Path):
        with contextlib.redirect_stdout(io.StringIO()):
            self.at.write_samples(iter(samples), out / "data.tar", maxcount=self.meta["per_shard"])


class Webdataset(Peer):
    def __init__(self, *a):
        super().__init__(*a)
        import webdataset as wds

        self.wds = wds

    def stages(self, shuffle):
        w = self.wds
        st = [w.SimpleShardList(self.urls)]
        if shuffle:
            st.append(w.shuffle(100))
        st.append(w.tarfile_to_samples())
        if shuffle:
            st.append(w.shuffle(10_000))
        st.append(w.map(lambda s: decode_payload(s["msgpack"], self.arr)))
        return st

    def iterate(self, shuffle):
        return self.wds.DataPipeline(*self.stages(shuffle))

    def batched(self, shuffle):
        c = Check(self.kind)
        w = self.wds
        for b in w.DataPipeline(*self.stages(shuffle), w.batched(self.batch, collation_fn=collate)):
            c.many(b.__getitem__)
        return c

    def samples(self):
        return [
            {"__key__": f"{i:08d}", "msgpack": b}
            for i, b in enumerate(iter_source(self.data, self.meta, raw=True))
        ]

    def write(self, samples, out: Path):
        with self.wds.ShardWriter(str(out / "data-%06d.tar"), maxcount=self.meta["per_shard"], verbose=0) as w:
            for s in samples:
                w.write(s)


class Mds(Peer):
    own_format = True

    def _write(self, samples, out: Path):
        from streaming import MDSWriter

        with MDSWriter(out=str(out), columns=MDS_COLUMNS[self.kind], size_limit=1 << 26) as w:
            for s in samples:
                w.write(s)

    def convert(self):
        self._write(iter_source(self.data, self.meta), self.dir)

    def iterate(self, shuffle):
        from streaming import StreamingDataset
        from streaming.base.util import clean_stale_shared_memory

        clean_stale_shared_memory()
        return iter(StreamingDataset(local=str(self.dir), shuffle=shuffle, batch_size=self.batch, shuffle_seed=7))

    def write(self, samples, out: Path):
        self._write(samples, out / "mds")


class Litdata(Peer):
    own_format = True

    def _write(self, samples, out: Path):
        from litdata.streaming.writer import BinaryWriter

        w = BinaryWriter(str(out), chunk_bytes=1 << 26)
        for i, s in enumerate(samples):
            w[i] = s
        w.done()
        w.merge()

    def convert(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        self._write(iter_source(self.data, self.meta), self.dir)

    def iterate(self, shuffle):
        import litdata

        return iter(litdata.StreamingDataset(str(self.dir), shuffle=shuffle, seed=7))

    def write(self, samples, out: Path):
        (out / "lit").mkdir()
        self._write(samples, out / "lit")


class HfWds(Peer):
    """datasets.load_dataset("webdataset", streaming=True) on the atdata shards themselves."""

    def iterate(self, shuffle):
        import datasets

        ds = datasets.load_dataset("webdataset", data_files={"train": self.urls}, split="train", streaming=True)
        if shuffle:
            ds = ds.shuffle(seed=7, buffer_size=10_000)
        arr = self.arr
        return (decode_payload(s["msgpack"], arr) for s in ds)


class HfParquet(Peer):
    own_format = True

    def table_chunks(self):
        import pyarrow as pa

        for chunk in batches(iter_source(self.data, self.meta), 1000):
            cols = {k: [s[k] for s in chunk] for k in chunk[0]}
            if self.kind == "image":
                cols["image"] = pa.array([x.tobytes() for x in cols["image"]], pa.binary())
            elif self.kind == "embedding":
                flat = pa.array(np.concatenate(cols["embedding"]))
                cols["embedding"] = pa.FixedSizeListArray.from_arrays(flat, 768)
            yield pa.table(cols)

    def convert(self):
        import pyarrow.parquet as pq

        self.dir.mkdir(parents=True, exist_ok=True)
        per = self.meta["per_shard"]
        w, n, i = None, 0, 0
        for t in self.table_chunks():
            if w is None:
                w = pq.ParquetWriter(self.dir / f"data-{i:06d}.parquet", t.schema, compression="none")
            w.write_table(t, row_group_size=1000)
            n += len(t)
            if n >= per:
                w.close()
                w, n, i = None, 0, i + 1
        if w:
            w.close()

    def load(self):
        import datasets

        return datasets.load_dataset(
            "parquet", data_files={"train": sorted(map(str, self.dir.glob("*.parquet")))}, split="train", streaming=True
        )

    def fix(self, s):
        if self.kind == "image":
            s["image"] = np.frombuffer(s["image"], np.uint8).reshape(128, 128, 4)
        return s

    def fix_many(self, b):
        if self.kind == "image":
            b["image"] = np.stack([np.frombuffer(x, np.uint8).reshape(128, 128, 4) for x in b["image"]])
        return b

    def iterate(self, shuffle):
        ds = self.load()
        if shuffle:
            ds = ds.shuffle(seed=7, buffer_size=10_000)
        if self.kind == "embedding":
            ds = ds.with_format("numpy")
        return map(self.fix, ds)

    def batched(self, shuffle):
        if shuffle:
            return super().batched(True)
        c = Check(self.kind)
        ds = self.load()
        if self.kind == "embedding":
            ds = ds.with_format("numpy")
        for b in ds.iter(batch_size=self.batch):
            c.many(self.fix_many(b).__getitem__)
        return c


class HfArrow(HfParquet):
    """Arrow IPC files on disk through Dataset.from_file(...).to_iterable_dataset()."""

    def convert(self):
        import pyarrow as pa

        self.dir.mkdir(parents=True, exist_ok=True)
        per = self.meta["per_shard"]
        w, f, n, i = None, None, 0, 0
        for t in self.table_chunks():
            if w is None:
                f = open(self.dir / f"data-{i:06d}.arrow", "wb")
                w = pa.ipc.new_stream(f, t.schema)
            w.write_table(t)
            n += len(t)
            if n >= per:
                w.close(), f.close()
                w, n, i = None, 0, i + 1
        if w:
            w.close(), f.close()

    def load(self):
        import datasets

        parts = [datasets.Dataset.from_file(str(p)) for p in sorted(self.dir.glob("*.arrow"))]
        return datasets.concatenate_datasets(parts).to_iterable_dataset(num_shards=4)


class Grain(Peer):
    own_format = True

    def convert(self):
        from array_record.python.array_record_module import ArrayRecordWriter

        self.dir.mkdir(parents=True, exist_ok=True)
        it = iter_source(self.data, self.meta, raw=True)
        for i, chunk in enumerate(batches(it, self.meta["per_shard"])):
            w = ArrayRecordWriter(str(self.dir / f"data-{i:06d}.array_record"), "group_size:1")
            for b in chunk:
                w.write(b)
            w.close()

    def base(self, shuffle):
        import grain

        src = grain.sources.ArrayRecordDataSource(sorted(map(str, self.dir.glob("*.array_record"))))
        ds = grain.MapDataset.source(src)
        if shuffle:
            ds = ds.shuffle(seed=7)
        arr = self.arr
        return ds.map(lambda b: decode_payload(b, arr))

    def iterate(self, shuffle):
        import grain

        return iter(self.base(shuffle).to_iter_dataset(grain.ReadOptions(num_threads=0)))

    def batched(self, shuffle):
        import grain

        c = Check(self.kind)
        ds = self.base(shuffle).to_iter_dataset(grain.ReadOptions(num_threads=0))
        for b in ds.batch(self.batch, batch_fn=collate):
            c.many(b.__getitem__)
        return c


PEERS = {
    "atdata": Atdata, "webdataset": Webdataset, "mds": Mds, "litdata": Litdata,
    "hf-wds": HfWds, "hf-parquet": HfParquet, "hf-arrow": HfArrow, "grain": Grain,
}  # fmt: skip


# --- rounds -----------------------------------------------------------------------------
class Rounds:
    """Answers requests; keeps the samples to write from one request to the next."""

    def __init__(self, peer: Peer, work: Path):
        self.peer, self.work, self.held = peer, work, None

    def one_pass(self, task: str):
        """Seconds of CPU and wall, and the check sum."""
        peer = self.peer
        if task == "write":
            self.held = self.held or peer.samples()
            # A new folder each time: to free the pages of an old file takes as long as to fill new ones.
            tmp = Path(tempfile.mkdtemp(dir=self.work))
            c0, t0 = cpu(), time.perf_counter()
            peer.write(self.held, tmp)
            used = cpu() - c0, time.perf_counter() - t0, None
            shutil.rmtree(tmp)
            return used
        self.held = None
        c0, t0 = cpu(), time.perf_counter()
        c = peer.read() if task == "read" else peer.batched(task == "shuffle")
        used = cpu() - c0, time.perf_counter() - t0, c.sum
        if c.n != peer.meta["samples"]:
            sys.exit(f"{type(peer).__name__} gave {c.n} samples, not {peer.meta['samples']}")
        return used

    def answer(self, task: str, seconds: float, ahead: bool = False) -> dict:
        if ahead:
            self.one_pass(task)
        used_cpu = used_wall = 0.0
        passes = 0
        while passes == 0 or used_cpu < seconds:
            c, w, check = self.one_pass(task)
            used_cpu, used_wall, passes = used_cpu + c, used_wall + w, passes + 1
        samples = passes * self.peer.meta["samples"]
        return {"samples": samples, "cpu": used_cpu, "wall": used_wall, "check": check}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True, help="folder of one data set (it has meta.json)")
    ap.add_argument("--peer", required=True, choices=PEERS)
    ap.add_argument("--work", required=True, help="folder for converted copies and for what is written")
    ap.add_argument("--convert", action="store_true", help="only make the peer's own copy of the data")
    a = ap.parse_args()
    data, work = Path(a.data), Path(a.work)
    work.mkdir(parents=True, exist_ok=True)
    peer = PEERS[a.peer](data, json.loads((data / "meta.json").read_text()), work, 64)
    done = peer.dir / ".done"
    if a.convert:
        shutil.rmtree(peer.dir, ignore_errors=True)
        peer.convert()
        done.touch()
        return
    if peer.own_format and not done.exists():
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--convert"], check=True, stdout=sys.stderr)
    # Libraries print to stdout; only answers may go there.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    rounds = Rounds(peer, work)
    for line in sys.stdin:
        print(json.dumps(rounds.answer(**json.loads(line))), file=answers, flush=True)


def cpu() -> float:
    """CPU seconds of this process and of the children it has waited for."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


if __name__ == "__main__":
    main()
