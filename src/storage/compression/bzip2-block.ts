import type { Bits } from "./bits.ts";

const GROUP_SYMBOLS = 50;
const MAX_CODE_BITS = 20;
const RUN_A = 0;
const RUN_B = 1;

/** One decoded block of bzip2. Its bytes come out as they are asked for. */
export class Bzip2Block {
  /** Byte in the lowest 8 bits, place of the next above them. */
  readonly #links: Uint32Array;
  readonly #wantedCrc: number;
  #link: number;
  #left: number; // links not followed yet
  #byte = -1; // the last one given
  #run = 0; // how often it came in a row; four are followed by a number of further ones
  #repeats = 0;
  #crc = -1;

  private constructor(links: Uint32Array, origin: number, crc: number) {
    this.#links = links;
    this.#left = links.length;
    this.#link = links.length === 0 ? 0 : links[origin]! >>> 8;
    this.#wantedCrc = crc;
  }

  /** Decodes a block of at most `limit` bytes, or says what is wrong with it. */
  static decode(bits: Bits, limit: number, crc: number): Bzip2Block | string {
    if (bits.read(1) === 1) return "it is of a version before 0.9.5"; // which could shuffle its bits
    const origin = bits.read(24);
    const bytes = readUsedBytes(bits);
    const tableCount = bits.read(3);
    const selectorCount = bits.read(15);
    if (bytes.length === 0 || tableCount < 2 || tableCount > 6 || selectorCount === 0)
      return "a block's header is wrong";
    const selectors = readSelectors(bits, tableCount, selectorCount);
    if (selectors === undefined) return "a block's header is wrong";
    const tables: HuffmanTable[] = [];
    for (let i = 0; i < tableCount; i++) {
      const table = readTable(bits, bytes.length + 2);
      if (table === undefined) return "a block's code is wrong";
      tables.push(table);
    }
    const links = readLinks(bits, bytes, tables, selectors, limit);
    if (links === undefined || origin >= links.length) return "a block's data does not decode";
    return new Bzip2Block(links, origin, crc);
  }

  /** Fills the start of `into`; 0 at the end. */
  read(into: Uint8Array): number {
    const links = this.#links;
    let at = 0;
    let crc = this.#crc;
    while (at < into.length && (this.#repeats > 0 || this.#left > 0)) {
      if (this.#repeats > 0) {
        this.#repeats--;
      } else {
        const link = links[this.#link]!;
        const byte = link & 0xff;
        this.#link = link >>> 8;
        this.#left--;
        if (this.#run === 4) {
          this.#run = 0;
          this.#repeats = byte;
          continue;
        }
        this.#run = byte === this.#byte ? this.#run + 1 : 1;
        this.#byte = byte;
      }
      into[at++] = this.#byte;
      crc = (crc << 8) ^ CRC_TABLE[(crc >>> 24) ^ this.#byte]!;
    }
    this.#crc = crc;
    return at;
  }

  /** Whether what was read has the checksum that the block says. */
  get isRight(): boolean {
    return ~this.#crc === this.#wantedCrc;
  }
}

/** The bytes that occur in a block: a map of the ranges of 16, and one for each range that is used. */
function readUsedBytes(bits: Bits): number[] {
  const ranges = bits.read(16);
  const bytes: number[] = [];
  for (let range = 0; range < 16; range++) {
    if ((ranges & (0x8000 >> range)) === 0) continue;
    const used = bits.read(16);
    for (let i = 0; i < 16; i++) if (used & (0x8000 >> i)) bytes.push(range * 16 + i);
  }
  return bytes;
}

/** Which table each group of symbols is coded with. */
function readSelectors(bits: Bits, tableCount: number, count: number): Uint8Array | undefined {
  const recent = Array.from({ length: tableCount }, (_, i) => i);
  const selectors = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let place = 0;
    while (bits.read(1) === 1) if (++place === tableCount) return undefined;
    const [table] = recent.splice(place, 1) as [number];
    recent.unshift(table);
    selectors[i] = table;
  }
  return selectors;
}

/** A canonical code. */
interface HuffmanTable {
  readonly shortest: number;
  /** The last code of each length; below any code where there is none. */
  readonly limits: Int32Array;
  /** What to take from a code of each length to get its place in `symbols`. */
  readonly bases: Int32Array;
  readonly symbols: Uint16Array;
}

function readTable(bits: Bits, symbolCount: number): HuffmanTable | undefined {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let i = 0; i < symbolCount; i++) {
    while (bits.read(1) === 1) {
      length += bits.read(1) === 0 ? 1 : -1;
      if (length < 1 || length > MAX_CODE_BITS) return undefined;
    }
    if (length < 1 || length > MAX_CODE_BITS) return undefined;
    lengths[i] = length;
  }
  const limits = new Int32Array(MAX_CODE_BITS + 1).fill(-1);
  const bases = new Int32Array(MAX_CODE_BITS + 1);
  const symbols = new Uint16Array(symbolCount);
  let code = 0;
  let placed = 0;
  for (let bitCount = 1; bitCount <= MAX_CODE_BITS; bitCount++) {
    bases[bitCount] = code - placed;
    for (let i = 0; i < symbolCount; i++) {
      if (lengths[i] !== bitCount) continue;
      symbols[placed++] = i;
      limits[bitCount] = code++;
    }
    code <<= 1;
  }
  return { shortest: Math.min(...lengths), limits, bases, symbols };
}

/** A symbol, or -1 for a code that is none. */
function readSymbol(bits: Bits, { shortest, limits, bases, symbols }: HuffmanTable): number {
  let code = bits.read(shortest);
  for (let length = shortest; length <= MAX_CODE_BITS; length++) {
    if (code <= limits[length]!) return symbols[code - bases[length]!] ?? -1;
    code = (code << 1) | bits.read(1);
  }
  return -1;
}

/** Undoes Huffman, run-length and move-to-front coding, and prepares the inverse Burrows-Wheeler transform. */
function readLinks(
  bits: Bits,
  bytes: readonly number[],
  tables: readonly HuffmanTable[],
  selectors: Uint8Array,
  limit: number,
): Uint32Array | undefined {
  const links = new Uint32Array(limit);
  const counts = new Uint32Array(256);
  const recent = Uint8Array.from(bytes);
  const end = bytes.length + 1;
  let at = 0;
  let run = 0;
  let weight = 1; // of the next digit of the run's length, in base 2 with digits 1 and 2
  for (let done = 0; ; done++) {
    const table = tables[selectors[Math.floor(done / GROUP_SYMBOLS)] ?? -1];
    if (table === undefined) return undefined;
    const symbol = readSymbol(bits, table);
    if (symbol < 0) return undefined;
    if (symbol === RUN_A || symbol === RUN_B) {
      run += weight * (symbol + 1);
      weight *= 2;
      if (run > limit) return undefined;
      continue;
    }
    if (run > 0) {
      if (at + run > limit) return undefined;
      links.fill(recent[0]!, at, at + run);
      counts[recent[0]!]! += run;
      at += run;
      run = 0;
      weight = 1;
    }
    if (symbol === end) break;
    if (at === limit) return undefined;
    const byte = recent[symbol - 1]!;
    recent.copyWithin(1, 0, symbol - 1);
    recent[0] = byte;
    links[at++] = byte;
    counts[byte]!++;
  }
  const places = new Uint32Array(256); // where the next link of each byte goes: the bytes in order
  for (let byte = 1; byte < 256; byte++) places[byte] = places[byte - 1]! + counts[byte - 1]!;
  for (let i = 0; i < at; i++) links[places[links[i]! & 0xff]!++]! |= i << 8;
  return links.subarray(0, at);
}

/** CRC-32 with the highest bit first. */
const CRC_TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});
