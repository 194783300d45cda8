/** The stages of a pipeline as plain Web Streams, behind a fetch body that nobody here made. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dataset, fromIterable, shardWriter } from "shardstream";
import { batch, compose, sampleDecode, shuffle, tarDecode } from "shardstream/operators";
import { Photo, takePhotos } from "./lib/photos.ts";

await fromIterable(Photo, takePhotos(200)).pipeTo(shardWriter("data/served.tar.gz", { overwrite: true }));
const server = createServer(async (_, response) => response.end(await readFile("data/served.tar.gz")));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/served.tar.gz`;

// Bytes, stored samples, samples, samples in another order, batches: each stage is a { readable, writable } pair.
let body = (await fetch(url)).body!;
const batches = body
  .pipeThrough(tarDecode())
  .pipeThrough(sampleDecode(Photo))
  .pipeThrough(shuffle({ window: 100, seed: 1 }))
  .pipeThrough(batch(32));
for await (const { length } of batches) console.log(`a batch of ${length}`);

// Streams cost microseconds a sample and stage. compose() joins stages to one pair, inside of which there are none.
body = (await fetch(url)).body!;
const joined = body.pipeThrough(
  compose(tarDecode(), sampleDecode(Photo), shuffle({ window: 100, seed: 1 }), batch(32)),
);
const [first] = await Array.fromAsync(joined);
console.log(`the first again: ${first!.column("label").slice(0, 3).join(" ")}`);

// A dataset reads the address itself, and is the planned form of the same stages. It gives a stream where one is wanted.
const labels = dataset(url, Photo)
  .map((photo) => `${photo.label}\n`)
  .stream()
  .pipeThrough(new TextEncoderStream())
  .pipeThrough(new CompressionStream("gzip"));
console.log(`${(await new Response(labels).arrayBuffer()).byteLength > 0 ? "labels" : "nothing"}, compressed`);

server.close();

// Prints:
// a batch of 32
// a batch of 32
// a batch of 32
// a batch of 32
// a batch of 32
// a batch of 32
// a batch of 8
// the first again: cat owl owl
// labels, compressed
