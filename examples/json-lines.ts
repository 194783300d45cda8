/** JSON lines in, shards between, JSON lines out. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dataset, defineSample, field, fromJsonLines, jsonLinesWriter, shardWriter } from "shardstream";

const Word = defineSample("Word", { text: field.string(), count: field.int(), note: field.optional(field.string()) });

await mkdir("data", { recursive: true });
await writeFile("data/words.jsonl", '{"text":"one","count":1}\n{"text":"two","count":2,"note":"even"}\n');

// With a type each line is checked, and a writer knows what to write. Files may be compressed, or http(s) addresses.
await fromJsonLines("data/words.jsonl", Word).pipeTo(shardWriter("data/words.tar", { overwrite: true }));

const words = dataset("data/words.tar", Word);
for await (const word of words) console.log(JSON.stringify(word));

// JSON has no bytes, no arrays with a dtype and no NaN: the writer refuses them, and map() turns them into what it has.
const { lines, path } = await words
  .map(({ text, count, note }) => ({ text: text.toUpperCase(), squared: count ** 2, note }))
  .pipeTo(jsonLinesWriter("data/squares.jsonl"));
console.log(`${lines} lines in ${path}`);
console.log((await readFile("data/squares.jsonl", "utf8")).trimEnd());

// Prints:
// {"text":"one","count":1,"note":null}
// {"text":"two","count":2,"note":"even"}
// 2 lines in data/squares.jsonl
// {"text":"ONE","squared":1,"note":null}
// {"text":"TWO","squared":4,"note":"even"}
