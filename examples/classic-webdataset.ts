/** Classic WebDataset shards, where a sample is several files of one key: `0001.jpg`, `0001.cls`, `0001.json`. */
import { dataset, defineSample, field, fromArray, rawSamples, shardWriter } from "shardstream";

// Most often such shards come from elsewhere. Here we write one: a sample is its files by extension.
const encoder = new TextEncoder();
const files = ["cat", "dog"].map((name, cls) => ({
  key: `pets/${name}`,
  parts: new Map([
    ["jpg", new Uint8Array([0xff, 0xd8, 0xff, cls])],
    ["cls", encoder.encode(String(cls))],
    ["json", encoder.encode(JSON.stringify({ caption: `a ${name}` }))],
  ]),
}));
await fromArray(files).pipeTo(shardWriter("data/pets.tar", { key: (sample) => sample.key, overwrite: true }));

// Each file is a field, named by its extension and decoded by the usual rules; images stay bytes.
for await (const sample of dataset("data/pets.tar", { members: "files" })) {
  console.log(Object.keys(sample).join(" "), sample.cls, JSON.stringify(sample.json));
}

// With a type the fields are checked, and TypeScript knows them.
const Pet = defineSample("Pet", { jpg: field.bytes(), cls: field.int(), json: field.dict(field.string()) });
const pets = dataset("data/pets.tar", Pet, { members: "files" });
const [captions] = await pets
  .map((pet) => `${pet.cls}: ${pet.json.caption}`)
  .batch(10)
  .toArray();
console.log([...captions!].join(", "));

// The same samples as typed msgpack shards: faster to read, and field by field.
await pets.pipeTo(shardWriter("data/pets-typed.tar", { overwrite: true }));
const [dog] = await dataset("data/pets-typed.tar", Pet)
  .where((pet) => pet.cls.eq(1))
  .withOrigin()
  .toArray();
console.log(dog!.origin.key, JSON.stringify(dog!.sample.json));

// Or as they are stored, where nothing is to be decoded.
for await (const { key, parts } of rawSamples("data/pets.tar")) console.log(key, [...parts.keys()].join(" "));

// Prints:
// jpg cls json 0 {"caption":"a cat"}
// jpg cls json 1 {"caption":"a dog"}
// 0: a cat, 1: a dog
// pets/dog {"caption":"a dog"}
// pets/cat jpg cls json
// pets/dog jpg cls json
