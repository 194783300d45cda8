import { Damage } from "./damage.ts";
import { FIELD, isChecksumRight, NEGATIVE, NOT_A_NUMBER, paddedSize, readNumber, sumBlock } from "./header.ts";
import { describeStart } from "./lookalikes.ts";
import { isText, MAX_META_BYTES, type PaxBody, readPaxBody } from "./pax.ts";
import { BLOCK, MAX_SAMPLE_BYTES, type Window } from "./window.ts";

/** What {@link Members.next} came to. */
export const MORE = 0;
export const MEMBER = 1;
export const END = 2;

const TYPE = {
  old: 0x00, // v7: a file, or a folder if its name ends with a slash
  file: 0x30,
  link: 0x31,
  fifo: 0x36,
  contiguous: 0x37,
  gnuLink: 0x4b,
  gnuName: 0x4c,
  gnuSparse: 0x53,
  solarisPax: 0x58,
  paxGlobal: 0x67,
  pax: 0x78,
} as const;

/** Walks over the regular files of a shard, header by header, inside a window. What it finds lies in its fields. */
export class Members {
  /** The member's name is in `name` from `nameStart` to `nameEnd`, or shorter where a NUL ends it. */
  name: DataView;
  nameStart = 0;
  nameEnd = 0;
  /** Place in the shard of the member's first header: a pax or GNU header before its own counts. */
  start = 0;
  /** Where the member's data lies, or will lie, in the window. */
  dataStart = 0;
  dataEnd = 0;
  /** After {@link MORE}: how many bytes behind the window's `at` it takes to go on. */
  need: number = BLOCK;
  /** Stopped before the end of the bytes: what follows is no part of the shard. */
  hasStopped = false;
  readonly warnings: string[] = [];
  readonly #window: Window;
  readonly #body: PaxBody = { pathStart: -1, pathEnd: -1, size: -1, sparse: false };
  #isPending = false; // a pax or GNU header waits for its member
  #isSparse = false;
  #path = new Uint8Array(512); // a name that does not stand in the header itself
  #pathView = new DataView(this.#path.buffer);
  #pathLength = 0;
  #size = -1;
  #globalPath = new Uint8Array(0);
  #globalSize = -1;

  constructor(window: Window) {
    this.#window = window;
    this.name = window.view;
  }

  /** A header for all members behind it gave names or sizes, so that they cannot be read without it. */
  get hasGlobals(): boolean {
    return this.#globalPath.length > 0 || this.#globalSize >= 0;
  }

  /** Finds the next regular file, and stays at its header until {@link take} or {@link pass}. */
  next(): typeof MORE | typeof MEMBER | typeof END {
    const window = this.#window;
    for (;;) {
      const { bytes, at } = window;
      this.need = BLOCK;
      if (!this.#isPending) this.start = window.offset;
      if (window.passing > 0 || at + BLOCK > window.have) return MORE;
      const sum = sumBlock(window.words, at);
      if (sum === 0) return this.#zeroBlock();
      if (!isChecksumRight(bytes, at, sum)) throw this.#badHeader();
      const type = bytes[at + FIELD.type]!;
      switch (type) {
        case TYPE.file:
        case TYPE.contiguous:
          return this.#file(bytes, at);
        case TYPE.old:
          if (!isFolderName(bytes, at)) return this.#file(bytes, at);
          this.#passOther(at, 0);
          break;
        case TYPE.pax:
        case TYPE.solarisPax:
        case TYPE.paxGlobal:
        case TYPE.gnuName:
        case TYPE.gnuLink:
          if (!this.#meta(bytes, at, type)) return MORE;
          break;
        case TYPE.gnuSparse:
          throw this.#sparse();
        default:
          // Links, devices and folders have no data whatever their size says; what is unknown goes with its data.
          this.#passOther(at, type >= TYPE.link && type <= TYPE.fifo ? 0 : this.#memberSize(bytes, at));
      }
    }
  }

  /** Goes beyond the member if all its data is in the window. `keep`: where the sample it belongs to begins. */
  take(keep: number): boolean {
    const window = this.#window;
    if (this.dataEnd - keep > MAX_SAMPLE_BYTES) {
      const size = this.dataEnd - this.dataStart;
      throw this.#damage(`the header at offset ${window.offset} says ${size} bytes, more than a sample can have`);
    }
    const size = paddedSize(this.dataEnd - window.at);
    if (this.dataEnd > window.have || (window.at + size > window.have && !window.ended)) {
      this.need = size;
      return false;
    }
    window.at += size; // beyond `have` only at the end of a shard that is cut in its padding
    this.#forget();
    return true;
  }

  /** Goes beyond the member, whether its data is here or not. */
  pass(): void {
    this.#window.pass(paddedSize(this.dataEnd - this.#window.at));
    this.#forget();
  }

  /**
   * Judges an end of the bytes without an end marker: fine at the border of a member where `isVouched`.
   *
   * @throws {Damage} `SHARD_TRUNCATED`
   */
  checkEnd(isVouched: (total: number) => boolean): void {
    const window = this.#window;
    const rest = window.bytes.subarray(window.at, window.have);
    const total = window.offset + window.have - window.at;
    if (window.offset === 0) {
      const looks = describeStart(rest);
      if (looks !== undefined) throw this.#damage(`${looks.what} is no tar`, looks.hint);
    }
    const isBorder =
      window.at <= window.have && !this.#isPending && window.passing === 0 && rest.every((byte) => byte === 0);
    if (isBorder && total > 0 && isVouched(total)) return;
    const what = total === 0 ? "it is empty" : `it ends after ${total} bytes, before its end marker`;
    const again = "download or write it again";
    const orSo = isBorder && total > 0 ? ', or pass { endMarker: "optional" } if its writer leaves the marker out' : "";
    throw new Damage("SHARD_TRUNCATED", what, total, again + orSo);
  }

  #passOther(at: number, size: number): void {
    this.dataStart = at + BLOCK;
    this.dataEnd = this.dataStart + size;
    this.pass();
  }

  #file(bytes: Uint8Array, at: number): typeof MEMBER {
    const size = this.#memberSize(bytes, at);
    if (this.#isSparse) throw this.#sparse();
    this.dataStart = at + BLOCK;
    this.dataEnd = this.dataStart + size;
    const length = this.#pathLength > 0 ? this.#pathLength : this.#joinPath(bytes, at);
    const isOwn = length === 0;
    this.name = isOwn ? this.#window.view : this.#pathView;
    this.nameStart = isOwn ? at : 0;
    this.nameEnd = isOwn ? at + 100 : length;
    return MEMBER;
  }

  /** Puts together a name that a global header or the prefix field gives; 0 if there is none. */
  #joinPath(bytes: Uint8Array, at: number): number {
    if (this.#globalPath.length > 0) return this.#copyPath(this.#globalPath);
    const prefix = at + FIELD.prefix;
    if (bytes[prefix] === 0 || !isText(bytes, at + FIELD.magic, at + FIELD.magic + 6, "ustar\0")) return 0;
    const length = this.#copyPath(bytes.subarray(prefix, fieldEnd(bytes, prefix, 155)));
    const name = bytes.subarray(at, fieldEnd(bytes, at, 100));
    this.#path[length] = 0x2f;
    this.#path.set(name, length + 1);
    return length + 1 + name.length;
  }

  #copyPath(path: Uint8Array): number {
    if (path.length + 4 > this.#path.length) {
      this.#path = new Uint8Array(path.length * 2);
      this.#pathView = new DataView(this.#path.buffer);
    }
    this.#path.set(path);
    return path.length;
  }

  #memberSize(bytes: Uint8Array, at: number): number {
    if (this.#size >= 0) return this.#size;
    if (this.#globalSize >= 0) return this.#globalSize;
    return this.#sizeField(bytes, at);
  }

  #sizeField(bytes: Uint8Array, at: number): number {
    const size = readNumber(bytes, at + FIELD.size, 12);
    if (size >= 0) return size;
    const what = size === NOT_A_NUMBER ? "a size that is no number" : size === NEGATIVE ? "a negative size" : "no size";
    throw this.#damage(`the header at offset ${this.#window.offset} has ${what}`);
  }

  /** Reads a header that is about other headers; false if its body is not here yet. */
  #meta(bytes: Uint8Array, at: number, type: number): boolean {
    const window = this.#window;
    const size = this.#sizeField(bytes, at);
    if (size > MAX_META_BYTES) {
      throw this.#damage(
        `the extended header at offset ${window.offset} has ${size} bytes, more than ${MAX_META_BYTES}`,
      );
    }
    const whole = BLOCK + paddedSize(size);
    if (at + whole > window.have) {
      this.need = whole;
      return false;
    }
    const start = at + BLOCK;
    const end = start + size;
    if (type === TYPE.gnuName) {
      this.#setPath(bytes, start, fieldEnd(bytes, start, size));
    } else if (type !== TYPE.gnuLink) {
      const wrong = readPaxBody(bytes, start, end, this.#body);
      if (wrong !== undefined) throw this.#damage(`the extended header at offset ${window.offset} has ${wrong}`);
      if (type === TYPE.paxGlobal) this.#setGlobals(bytes);
      else this.#setLocals(bytes);
    }
    if (type !== TYPE.paxGlobal) this.#isPending = true;
    window.at += whole;
    return true;
  }

  #setGlobals(bytes: Uint8Array): void {
    const { pathStart, pathEnd, size } = this.#body;
    if (pathStart >= 0) this.#globalPath = bytes.slice(pathStart, pathEnd);
    if (size >= 0) this.#globalSize = size;
  }

  #setLocals(bytes: Uint8Array): void {
    const { pathStart, pathEnd, size, sparse } = this.#body;
    if (pathStart >= 0) this.#setPath(bytes, pathStart, pathEnd);
    if (size >= 0 && this.#size < 0) this.#size = size;
    if (sparse) this.#isSparse = true;
  }

  /** Of several headers that name one member the first wins, as in Python. */
  #setPath(bytes: Uint8Array, start: number, end: number): void {
    if (this.#pathLength === 0) this.#pathLength = this.#copyPath(bytes.subarray(start, end));
  }

  /** Forgets what headers said about a member to come: reading goes on somewhere else. */
  restart(): void {
    this.#forget();
  }

  #forget(): void {
    if (!this.#isPending) return;
    this.#isPending = this.#isSparse = false;
    this.#pathLength = 0;
    this.#size = -1;
  }

  #zeroBlock(): typeof MORE | typeof END {
    const window = this.#window;
    if (this.#isPending) throw this.#damage(`the header at offset ${window.offset} is zero, behind an extended header`);
    if (window.at + 2 * BLOCK > window.have) {
      this.need = 2 * BLOCK;
      return MORE;
    }
    if (sumBlock(window.words, window.at + BLOCK) === 0) {
      window.at += 2 * BLOCK;
    } else {
      this.hasStopped = true;
      this.warnings.push(`a lone zero block at offset ${window.offset} ends the shard, and more bytes follow it`);
    }
    return END;
  }

  #badHeader(): Damage {
    const { bytes, at, offset } = this.#window;
    const looks = offset === 0 ? describeStart(bytes.subarray(at, at + BLOCK)) : undefined;
    if (looks !== undefined) return this.#damage(`${looks.what} is no tar`, looks.hint);
    if (offset === 0)
      return this.#damage(
        "it does not begin with a tar header, so it is no tar, or damaged",
        "check what the file is, or fetch it again",
      );
    return this.#damage(`the header at offset ${offset} has a wrong checksum`);
  }

  #damage(what: string, hint?: string): Damage {
    return new Damage("SHARD_CORRUPT", what, this.#window.offset, hint);
  }

  #sparse(): Damage {
    const { offset } = this.#window;
    return new Damage(
      "UNSUPPORTED",
      `the member at offset ${offset} is a sparse file`,
      offset,
      "write it again without --sparse",
    );
  }
}

/** End of a text that a NUL or its field ends. */
function fieldEnd(bytes: Uint8Array, at: number, length: number): number {
  const limit = at + length;
  let end = at;
  while (end < limit && bytes[end] !== 0) end++;
  return end;
}

function isFolderName(bytes: Uint8Array, at: number): boolean {
  const end = fieldEnd(bytes, at, 100);
  return end > at && bytes[end - 1] === 0x2f;
}
