// Small loops: the parts of shardstream by themselves, each beside a plain loop or another library that does the same. Users do
// not see these parts, so here they come from the sources, bundled as `dist` is.
import { readFileSync } from "node:fs";
import { decode, encode } from "@msgpack/msgpack";
import { Packr, Unpackr } from "msgpackr";
import { SampleReader } from "../../src/codec/reader.ts";
import { SampleWriter } from "../../src/codec/writer.ts";
import * as lib from "../../src/index.ts";
import type { ByteReader } from "../../src/storage/byte-reader.ts";
import { ShardReader } from "../../src/tar/shard-reader.ts";
import { task } from "./serve.ts";
import { benchSet } from "./sets.ts";

/** CPU time of something. */
export interface MicroFigure {
  /** The table it belongs to. */
  readonly group: string;
  readonly name: string;
  readonly ns: number;
  /** Whether a goal stands beside it. */
  readonly judged?: boolean;
}

const [what, seconds] = task.variant.split(" ") as ["samples" | "stages", string];
const ROUNDS = Number(seconds) > 0 ? 7 : 1;
const ROUND_SECONDS = Number(seconds) / 4;

/** Rounds in turn of things that work through `items` each time they are called; the first rounds do not count. */
async function compare(items: number, things: Readonly<Record<string, () => unknown>>): Promise<Map<string, number>> {
  const times = new Map(Object.keys(things).map((name) => [name, [] as number[]]));
  for (let round = -2; round < ROUNDS; round++) {
    for (const [name, thing] of Object.entries(things)) {
      const start = process.cpuUsage();
      let calls = 0;
      let used: number;
      do {
        const result = thing();
        // Waiting for what is there already would cost small things more than they do.
        if (result instanceof Promise) await result;
        calls++;
        const { user, system } = process.cpuUsage(start);
        used = (user + system) / 1e6;
      } while (used < ROUND_SECONDS);
      if (round >= 0) times.get(name)!.push((used * 1e9) / (calls * items));
    }
  }
  return new Map([...times].map(([name, all]) => [name, all.sort((a, b) => a - b)[all.length >> 1]!]));
}

async function group(
  name: string,
  items: number,
  things: Readonly<Record<string, () => unknown>>,
): Promise<MicroFigure[]> {
  return [...(await compare(items, things))].map(([thing, ns]) => ({ group: name, name: thing, ns }));
}

// Samples: walk, decode, encode

async function samples(): Promise<MicroFigure[]> {
  const { set } = task;
  const { type } = benchSet(lib, set);
  const shard = readFileSync(task.shards[0]!);
  const url = task.shards[0]!;
  const count = task.samplesPerShard;

  const walk = await group("tar walk from memory, with its copy into the window, per sample", count, {
    [`${set}: shardstream`]: async () => {
      const reader = new ShardReader(fromMemory(shard), { url });
      while ((await reader.read(256)) !== undefined);
      await reader.close();
    },
    [`${set}: plain loop with checksums`]: () => plainWalk(shard),
  });

  // What lies in one window, as copies one behind the other.
  const reader = new ShardReader(fromMemory(shard), { url });
  const records = (await reader.read(Math.min(256, count)))!;
  const { length, starts, ends } = records;
  const bytes = records.bytes.slice();
  const view = new DataView(bytes.buffer);
  const each = Array.from({ length }, (_, i) => bytes.slice(starts[i], ends[i]));
  const sampleReader = new SampleReader(type);
  const columns = sampleReader.makeColumns(length);
  const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
  const decoded = await group("decode, per sample", length, {
    [`${set}: shardstream, into columns used again`]: () =>
      sampleReader.readColumns({ bytes, view }, starts, ends, 0, length, columns.reset()),
    [`${set}: shardstream, objects`]: () => sampleReader.readRows({ bytes, view }, starts, ends, 0, length, []),
    // These leave arrays as bytes.
    [`${set}: @msgpack/msgpack`]: () => each.map((sample) => decode(sample)),
    [`${set}: msgpackr`]: () => each.map((sample) => unpackr.unpack(sample)),
  });

  const own: unknown[] = [];
  sampleReader.readRows({ bytes, view }, starts, ends, 0, length, own);
  const plain = each.map((sample) => decode(sample));
  const writer = new SampleWriter(type);
  const into = new Uint8Array(Math.max(...own.map((sample) => writer.room(sample))));
  const intoView = new DataView(into.buffer);
  const packr = new Packr({ useRecords: false });
  const encoded = await group("encode, per sample", length, {
    [`${set}: shardstream`]: () => {
      for (const sample of own) {
        writer.room(sample);
        writer.write(into, intoView, 0);
      }
    },
    [`${set}: @msgpack/msgpack`]: () => plain.map((sample) => encode(sample)),
    [`${set}: msgpackr`]: () => plain.map((sample) => packr.pack(sample)),
  });
  return [...walk, ...decoded, ...encoded];
}

function fromMemory(bytes: Uint8Array): ByteReader {
  let at = 0;
  return {
    async read(into) {
      const count = Math.min(into.length, bytes.length - at);
      into.set(bytes.subarray(at, at + count));
      at += count;
      return count;
    },
    close: async () => {},
  };
}

/** Headers of a shard by way of a window of 1 MiB: the least that a reader has to do. */
function plainWalk(shard: Uint8Array): number {
  let found = 0;
  let have = 0;
  const window = plainWalk.window;
  const words = plainWalk.words;
  for (let from = 0; from < shard.length; ) {
    const count = Math.min(window.length - have, shard.length - from);
    window.set(shard.subarray(from, from + count), have);
    have += count;
    from += count;
    let at = 0;
    while (at + 512 <= have) {
      if (!isHeader(words, window, at)) return found;
      let size = 0;
      for (let i = at + 124; i < at + 135; i++) size = size * 8 + window[i]! - 48;
      const next = at + 512 + ((size + 511) & ~511);
      if (next > have) break;
      if (window[at + 156] === 0x30) found++;
      at = next;
    }
    window.copyWithin(0, at, have);
    have -= at;
  }
  return found;
}
plainWalk.window = new Uint8Array(1 << 20);
plainWalk.words = new Uint32Array(plainWalk.window.buffer);

/** Whether a block has the checksum that it says. False for the end blocks. */
function isHeader(words: Uint32Array, bytes: Uint8Array, at: number): boolean {
  let even = 0;
  let odd = 0;
  for (let i = at >> 2; i < (at >> 2) + 128; i++) {
    const word = words[i]!;
    even += word & 0x00ff00ff;
    odd += (word >>> 8) & 0x00ff00ff;
  }
  let sum = (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
  let said = 0;
  for (let i = at + 148; i < at + 156; i++) {
    const byte = bytes[i]!;
    sum += 32 - byte; // the checksum counts as blanks
    if (byte >= 48 && byte < 56) said = said * 8 + byte - 48;
  }
  return sum === said;
}

// Stages

async function stages(): Promise<MicroFigure[]> {
  const items = Array.from({ length: 256 * 400 }, (_, id) => ({ id, label: id % 10 }));
  type Item = (typeof items)[number];
  let seen = 0;
  /** A function of its own for each stage, as in a program: one that is used in many places is called more slowly. */
  const looks = Array.from({ length: 5 }, (_, i) =>
    new Function("add", `return (item) => add(item.label + ${i})`)(add),
  );
  function add(n: number): void {
    seen += n;
  }
  const maps = Array.from({ length: 5 }, (_, i) =>
    new Function(`return (item) => ({ id: item.id, label: item.label + ${i} })`)(),
  );
  const counting = {
    name: "count",
    open: async () => ({
      write: async (chunk: { length: number }) => {
        seen += chunk.length;
      },
      close: async () => seen,
      abort: async () => {},
    }),
  };
  const plan = (step: "tap" | "map", functions: readonly ((item: Item) => never)[]) =>
    functions.reduce((data, f) => (step === "tap" ? data.tap(f) : data.map(f)), lib.fromArray(items));
  const drain = (data: ReturnType<typeof plan>) => () => data.pipeTo(counting);

  const things: Record<string, () => unknown> = {};
  for (const n of [0, 1, 3, 5]) things[`tap ${n}`] = drain(plan("tap", looks.slice(0, n)));
  for (const n of [1, 3, 5]) things[`map ${n}`] = drain(plan("map", maps.slice(0, n)));
  things["plain tap"] = () => {
    for (let from = 0; from < items.length; from += 256) {
      const rows = items.slice(from, from + 256);
      for (const look of looks) for (let i = 0; i < rows.length; i++) look(rows[i]);
    }
  };
  things["plain map"] = () => {
    for (let from = 0; from < items.length; from += 256) {
      let rows = items.slice(from, from + 256);
      for (const map of maps) {
        const next: Item[] = [];
        for (let i = 0; i < rows.length; i++) next.push(map(rows[i]));
        rows = next;
      }
      seen += rows.length;
    }
  };
  const one = lib.fromArray(items);
  things["for await"] = async () => {
    for await (const item of one) seen += item.label;
  };
  const ns = await compare(items.length, things);
  const at = (name: string) => ns.get(name)!;
  const table = "stages in chunks of 256, per sample";
  return [
    { group: table, name: "from an array to a sink, no stage", ns: at("tap 0") },
    { group: table, name: "from an array, `for await`, no stage", ns: at("for await") },
    ...[1, 3, 5].map((n) => ({
      group: table,
      name: `a tap, of ${n}`,
      ns: (at(`tap ${n}`) - at("tap 0")) / n,
      judged: true,
    })),
    { group: table, name: "a plain loop that calls the same functions, of 5", ns: at("plain tap") / 5 },
    ...[1, 3, 5].map((n) => ({
      group: table,
      name: `a map, of ${n}`,
      ns: (at(`map ${n}`) - at("tap 0")) / n,
      judged: true,
    })),
    { group: table, name: "plain loops that make the same objects, of 5", ns: at("plain map") / 5 },
  ];
}

// Last, as what is above must be there first.
console.log(JSON.stringify(what === "samples" ? await samples() : await stages()));
