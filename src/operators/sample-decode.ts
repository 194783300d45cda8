import type { DictSample } from "../codec/dict-sample.ts";
import { rawDecoder } from "../codec/raw-decoder.ts";
import type { RawSample } from "../codec/raw-sample.ts";
import type { SampleReaderOptions } from "../codec/reader.ts";
import type { AnySampleType, SampleTypeOf } from "../schema/sample.ts";
import { Operator } from "../streams/operator.ts";
import { rowStage } from "../streams/rows.ts";

export interface SampleDecodeOptions extends Pick<SampleReaderOptions, "unknownFields"> {}

/**
 * Samples as they are stored, from `tarDecode`, to samples of a type, or untyped ones. Samples of several files are decoded
 * with `map(decodeParts)` instead.
 *
 * @example
 * ```ts no-run
 * const { body } = await fetch("https://example.org/train-000000.tar");
 * for await (const photo of body!.pipeThrough(tarDecode()).pipeThrough(sampleDecode(Photo))) console.log(photo.label);
 * ```
 */
export function sampleDecode(): Operator<RawSample, DictSample>;
export function sampleDecode<T>(type: SampleTypeOf<T>, options?: SampleDecodeOptions): Operator<RawSample, T>;
export function sampleDecode(type?: AnySampleType, options?: SampleDecodeOptions): Operator<RawSample, unknown> {
  const decode = rawDecoder<unknown>(type, options);
  return new Operator({
    name: "sampleDecode",
    typeOf: () => type,
    open: (context) =>
      rowStage(context, "decode", (rows, at, out) => {
        for (; at.row < rows.length; at.row++) out.rows.push(decode(rows[at.row] as RawSample));
      }),
  });
}
