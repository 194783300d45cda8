import { describe, expect, it } from "vitest";
import {
  concat,
  dataset,
  defineSample,
  field,
  fromArray,
  interleave,
  mix,
  rawSamples,
  shardWriter,
  zip,
} from "../src/index.ts";

describe("wrong arguments", () => {
  const numbers = fromArray([1, 2, 3]);
  const wrong: readonly (readonly [what: string, call: () => unknown, says: RegExp])[] = [
    ["a pattern that is no text", () => dataset(5 as never), /pattern must be text/],
    ["an empty pattern", () => dataset(""), /pattern must be text/],
    ["a list of no texts", () => dataset([5] as never), /pattern must be text/],
    ["unknown members", () => dataset("a.tar", { members: "foo" } as never), /members must be "msgpack" or "files"/],
    ["an unknown end marker", () => rawSamples("a.tar", { endMarker: "maybe" as never }), /"required" or "optional"/],
    ["a field that is none", () => defineSample("A", { a: field.int as never }), /"a" must be a field/],
    ["a type without a name", () => defineSample("", { a: field.int() }), /name must be text/],
    ["a type without fields", () => defineSample("A", {}), /at least one field/],
    ["a shuffle in a window of none", () => numbers.shuffle({ window: 0 }), /window must be/],
    ["a seed below zero", () => numbers.shuffle({ window: 1, seed: -1 }), /seed must be/],
    ["a batch of none", () => numbers.batch(0), /size must be/],
    ["a batch of too many", () => numbers.batch(2 ** 31), /size must be/],
    ["a batch that is ragged otherwise", () => numbers.batch(1, { ragged: "x" as never }), /ragged must be/],
    ["a prefetch of too many", () => numbers.prefetch(1e9), /chunks must be/],
    ["taking a part", () => numbers.take(0.5), /count must be/],
    ["skipping back", () => numbers.skip(-1), /count must be/],
    ["an epoch below zero", () => numbers.epoch(-1), /epoch/],
    ["mapping with no function", () => numbers.map(5 as never), /give it a function or a task/],
    ["filtering with no function", () => numbers.filter(5 as never), /give it a function or a task/],
    ["selecting nothing", () => numbers.select(), /no field/],
    ["joining datasets without a list", () => concat(numbers as never), /Cannot concat .*list of at least one/],
    ["zipping nothing", () => zip([]), /Cannot zip .*list of at least one/],
    ["mixing what is no dataset", () => mix([numbers, [1, 2]] as never), /Cannot mix .*list of at least one/],
    ["an unknown rule", () => interleave([numbers], { stop: "never" as never }), /stop must be "first-exhausted" or/],
    ["weights that are none", () => mix([numbers], { weights: 1 as never }), /weights must be a list/],
    ["too few weights", () => mix([numbers, numbers], { weights: [1] }), /for each of 2 datasets, not 1/],
    ["a weight below zero", () => mix([numbers, numbers], { weights: [1, -1] }), /number >= 0, not -1/],
    ["a weight that is no number", () => mix([numbers, numbers], { weights: [1, NaN] }), /number >= 0, not NaN/],
    ["weights of zero", () => mix([numbers, numbers], { weights: [0, 0] }), /sum above 0/],
    ["a schedule that begins late", () => mix([numbers], { weights: [{ from: 1, weights: [1] }] }), /from must be 0/],
    [
      "a schedule that goes back",
      () =>
        mix([numbers], {
          weights: [
            { from: 0, weights: [1] },
            { from: 0, weights: [1] },
          ],
        }),
      /from must be a whole number >= 1 in weights 1, not 0/,
    ],
    [
      "a step without weights",
      () => mix([numbers], { weights: [{ from: 0 } as never] }),
      /weight for each of 1 .*none/,
    ],
    ["shards of no sample", () => shardWriter("a.tar", { samplesPerShard: 0 }), /samplesPerShard must be/],
  ];

  it.each(wrong)("%s is told where it is written", (_, call, says) => {
    expect(call).toThrow(says);
    expect(call).toThrow(expect.toSatisfy((error) => error instanceof TypeError || error instanceof RangeError));
  });

  it("a sink that is none is told when it is piped to", async () => {
    await expect(numbers.pipeTo("x.tar" as never)).rejects.toThrow(/give it a sink/);
  });
});
