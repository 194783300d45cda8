/** Samples without a type, and what a type is besides TypeScript: a schema record, a CID, a Standard Schema. */
import { dataset, fromIterable, sampleTypeOf, shardWriter } from "shardstream";
import { Photo, takePhotos } from "./lib/photos.ts";

await fromIterable(Photo, takePhotos(3)).pipeTo(shardWriter("data/unknown.tar", { overwrite: true }));

// Without a type a sample is a view over its own bytes. Nothing says that some of them are an array.
for await (const sample of dataset("data/unknown.tar").take(1)) {
  console.log([...sample.keys()].join(" "), sample.get("label"), sample.kindOf("score"));
}

// It is written again as it is, byte for byte.
await dataset("data/unknown.tar").pipeTo(shardWriter("data/copy.tar", { overwrite: true }));
console.log(await dataset("data/copy.tar", Photo).count());

// A type is plain JSON, the record that atdata keeps in its index, and has the same content identifier there.
const record = Photo.toJSON();
console.log(JSON.stringify(record.fields[1]));
console.log(await Photo.cid());

// From a record, for instance out of a file or an index, comes a type again: TypeScript knows the fields as unknown.
const fromRecord = sampleTypeOf(JSON.parse(JSON.stringify(record)));
const [photo] = await dataset("data/unknown.tar", fromRecord).head(1);
console.log(Object.keys(photo!).join(" "), (await fromRecord.cid()) === (await Photo.cid()));

// A sample type is a Standard Schema: any library that takes one can check values with it.
const result = await Photo["~standard"].validate({ label: 7, score: 0.5 });
for (const issue of result.issues ?? []) console.log(issue.message);

// Prints:
// pixels label score cat float
// 3
// {"name":"label","fieldType":{"$type":"local#primitive","primitive":"str"},"optional":false}
// bafyreifwcijbdrhn3bn3aykyltfgtmo4rz5xsroz2ohwslyjjtpuz7elpu
// pixels label score true
// field "pixels" is missing
// field "label" must be text, but it is the number 7
