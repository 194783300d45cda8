// What people write by hand today: batches of 64 from streams that carry one sample a chunk.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { decode } from "@msgpack/msgpack";
import { Unpackr } from "msgpackr";
import { extract } from "tar-stream";
import { type Pass, serve, task } from "./serve.ts";
import { numberOf } from "./sets.ts";

interface Sample {
  id: number | string;
  name: string;
  flag: boolean;
  tags: string[];
  image: Uint8Array;
  embedding: Float32Array;
  label: number;
}
const BATCH = 64;
const { set } = task;

/** The items of an array in atdata's format: `u8 length, dtype, u8 axes, axes * i64`, then the items. */
function items(bytes: Uint8Array): Uint8Array {
  const start = 2 + bytes[0]! + 8 * bytes[1 + bytes[0]!]!;
  return bytes.subarray(start);
}

function sampleOf(value: unknown): Sample {
  const sample = value as Sample;
  if (set === "image") sample.image = items(sample.image);
  // The items lie at any offset, so a Float32Array needs them copied.
  if (set === "embedding") sample.embedding = new Float32Array(new Uint8Array(items(sample.embedding as never)).buffer);
  return sample;
}

/** Makes columns of a batch and sums them as `sets.ts` does. */
function batchSum(batch: readonly Sample[]): number {
  let sum = 0;
  if (set === "small") {
    const names = batch.map((sample) => sample.name);
    const tags = batch.map((sample) => sample.tags);
    const ids = Float64Array.from(batch, (sample) => sample.id as number);
    const flags = Uint8Array.from(batch, (sample) => Number(sample.flag));
    for (let i = 0; i < batch.length; i++) sum += ids[i]! + names[i]!.length + tags[i]!.length + flags[i]!;
  } else if (set === "image") {
    const size = batch[0]!.image.length;
    const images = new Uint8Array(batch.length * size);
    for (const [i, sample] of batch.entries()) {
      images.set(sample.image, i * size);
      sum += sample.label + images[i * size]!;
    }
  } else {
    const size = batch[0]!.embedding.length;
    const embeddings = new Float32Array(batch.length * size);
    for (const [i, sample] of batch.entries()) {
      embeddings.set(sample.embedding, i * size);
      sum += numberOf(sample.id as string) + (embeddings[i * size]! > 0 ? 1 : 0);
    }
  }
  return sum;
}

/** Chunks of a file, 1 MiB each. */
function chunksOf(path: string): ReadableStream<Uint8Array> {
  const file = open(path);
  return new ReadableStream(
    {
      async pull(controller) {
        const chunk = new Uint8Array(1 << 20);
        const { bytesRead } = await (await file).read(chunk);
        if (bytesRead > 0) return controller.enqueue(chunk.subarray(0, bytesRead));
        await (await file).close();
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A plain tar reader: the data of each file. Nothing is checked. */
function untar(): TransformStream<Uint8Array, Uint8Array> {
  let rest = new Uint8Array(0);
  const ascii = new TextDecoder("latin1");
  return new TransformStream({
    transform(chunk, controller) {
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      let at = 0;
      while (at + 512 <= bytes.length) {
        const size = Number.parseInt(ascii.decode(bytes.subarray(at + 124, at + 135)), 8) || 0;
        const next = at + 512 + Math.ceil(size / 512) * 512;
        if (next > bytes.length) break;
        if (bytes[at + 156] === 0x30) controller.enqueue(bytes.subarray(at + 512, at + 512 + size));
        at = next;
      }
      rest = bytes.subarray(at);
    },
  });
}

async function perSampleStreams(): Promise<Pass> {
  let samples = 0;
  let check = 0;
  for (const shard of task.shards) {
    let held: Sample[] = [];
    const decoded = new TransformStream<Uint8Array, Sample>({
      transform: (bytes, controller) => controller.enqueue(sampleOf(decode(bytes))),
    });
    const batched = new TransformStream<Sample, Sample[]>({
      transform(sample, controller) {
        if (held.push(sample) < BATCH) return;
        controller.enqueue(held);
        held = [];
      },
      flush: (controller) => (held.length > 0 ? controller.enqueue(held) : undefined),
    });
    for await (const batch of chunksOf(shard).pipeThrough(untar()).pipeThrough(decoded).pipeThrough(batched)) {
      samples += batch.length;
      check += batchSum(batch);
    }
  }
  return { samples, check };
}

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

async function tarStream(): Promise<Pass> {
  let samples = 0;
  let check = 0;
  let held: Sample[] = [];
  const take = (): void => {
    samples += held.length;
    check += batchSum(held);
    held = [];
  };
  for (const shard of task.shards) {
    const entries = createReadStream(shard, { highWaterMark: 1 << 20 }).pipe(extract());
    for await (const entry of entries) {
      const parts: Buffer[] = [];
      for await (const part of entry) parts.push(part as Buffer);
      const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      if (held.push(sampleOf(unpackr.unpack(bytes))) === BATCH) take();
    }
  }
  if (held.length > 0) take();
  return { samples, check };
}

await serve(task.variant === "tar-stream + msgpackr" ? tarStream : perSampleStreams);
