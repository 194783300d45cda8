import { keyHash } from "./key-hash.ts";
import { decodeName, encodeName, SampleKeys } from "./keys.ts";

const NUL = 0x00;
const DOT = 0x2e;
const SLASH = 0x2f;
const UNDERSCORE = 0x5f;

/** The keys of several reads share one piece of memory: an allocation costs more than the keys of one. */
const MEMORY = 32768;

/**
 * Collects the keys of the samples of one read. The key of the group that is open lies behind those already given, so
 * that neither comparing it with the next member's nor giving it away makes an object.
 */
export class KeyCollector {
  /** Where the extension lies in the name last split. */
  extension = 0;
  extensionEnd = 0;
  #bytes = new Uint8Array(16384);
  #view = new DataView(this.#bytes.buffer);
  #offsets = new Uint32Array(257);
  #count = 0;
  #start = 0; // the open group's key
  #end = 0;
  #name: DataView = this.#view; // holds the name last split; its key:
  #from = 0;
  #length = 0;
  #previous = new Uint8Array(0);
  #memory = new ArrayBuffer(0); // what was given away last, with room for more
  #given = 0;

  /**
   * Splits a member's name, which a NUL or `limit` ends, into key and extension at the first dot of its last path
   * component; false if it belongs to no sample. After a slash a leading dot counts too where the folder's name has none
   * (`dir/.a.b` is `dir/` and `a.b`): webdataset's `^((?:.*\/|)[^.]+)[.]([^/]*)$`. Names in `__…__` are metadata.
   */
  split(name: DataView, start: number, limit: number): boolean {
    let slash = start - 1;
    let dot = -1;
    let isFolderDotted = true;
    let i = start;
    for (let byte = -1; i < limit && byte !== NUL; ) {
      if (i + 4 <= limit && isPlain(name.getInt32(i))) {
        i += 4;
        continue;
      }
      for (const end = Math.min(i + 4, limit); i < end; i++) {
        byte = name.getUint8(i);
        if (byte === NUL) break;
        if (byte === DOT) {
          if (dot < 0) dot = i;
        } else if (byte === SLASH) {
          isFolderDotted = dot >= 0;
          slash = i;
          dot = -1;
        }
      }
    }
    if (dot < 0 || (dot === slash + 1 && isFolderDotted)) return false;
    if (name.getUint8(start) === UNDERSCORE && isMeta(name, start, i)) return false;
    this.extension = dot + 1;
    this.extensionEnd = i;
    this.#name = name;
    this.#from = start;
    this.#length = dot - start;
    return true;
  }

  /** Whether the name last split has the key of the open group. */
  isSame(): boolean {
    const length = this.#length;
    if (this.#end - this.#start !== length) return false;
    const bytes = this.#bytes;
    const name = this.#name;
    for (let i = 0, a = this.#start, b = this.#from; i < length; i++)
      if (bytes[a + i] !== name.getUint8(b + i)) return false;
    return true;
  }

  /** Hash of the key last split. */
  hash(): number {
    return keyHash(this.#name, this.#from, this.#from + this.#length);
  }

  /** Opens a group with the key last split. */
  open(): void {
    const length = this.#length;
    if (this.#end + length + 4 > this.#bytes.length) this.#grow(length + 4);
    const view = this.#view;
    const name = this.#name;
    // Four bytes at once, and up to three too many, which the next key overwrites; behind a key its extension follows.
    for (let i = 0, a = this.#end, b = this.#from; i < length; i += 4) view.setInt32(a + i, name.getInt32(b + i));
    this.#start = this.#end;
    this.#end += length;
  }

  /** Gives the open group's key to the next sample. */
  give(): void {
    this.#count++;
    if (this.#count === this.#offsets.length) {
      const offsets = new Uint32Array(this.#count * 2);
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
    this.#offsets[this.#count] = this.#end;
  }

  /** Opens a group with a key that is there as text, and gives it. */
  giveText(key: string): void {
    const bytes = encodeName(key);
    if (this.#end + bytes.length + 4 > this.#bytes.length) this.#grow(bytes.length + 4);
    this.#bytes.set(bytes, this.#end);
    this.#start = this.#end;
    this.#end += bytes.length;
    this.give();
  }

  /** Key of the open group. */
  get current(): string {
    return decodeName(this.#bytes, this.#start, this.#end);
  }

  /** Key of the sample given last. */
  get last(): string | undefined {
    const [start, end] = this.#lastRange();
    if (start < end) return decodeName(this.#bytes, start, end);
    return this.#previous.length > 0 ? decodeName(this.#previous, 0, this.#previous.length) : undefined;
  }

  /** The keys given since the last {@link reset}, in memory that is not written again. */
  take(): SampleKeys {
    const first = this.#offsets[0]!;
    const length = this.#offsets[this.#count]! - first;
    const size = (this.#count + 1) * 4 + length;
    if (this.#given + size > this.#memory.byteLength) {
      this.#memory = new ArrayBuffer(Math.max(MEMORY, size));
      this.#given = 0;
    }
    const offsets = new Uint32Array(this.#memory, this.#given, this.#count + 1);
    const bytes = new Uint8Array(this.#memory, this.#given + offsets.byteLength, length);
    this.#given += (size + 3) & ~3;
    for (let i = 0; i < offsets.length; i++) offsets[i] = this.#offsets[i]! - first;
    bytes.set(this.#bytes.subarray(first, first + length));
    return new SampleKeys(bytes, offsets);
  }

  /** Forgets what was given, and keeps the open group; `isGiven`: its key belongs to an earlier sample already. */
  reset(isGiven: boolean): void {
    const [start, end] = this.#lastRange();
    if (start < end) this.#previous = this.#bytes.slice(start, end);
    this.#bytes.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    this.#count = 0;
    this.#offsets[0] = isGiven ? this.#end : 0;
  }

  #lastRange(): [number, number] {
    return this.#count === 0 ? [0, 0] : [this.#offsets[this.#count - 1]!, this.#offsets[this.#count]!];
  }

  #grow(by: number): void {
    const bytes = new Uint8Array((this.#end + by) * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Whether none of four bytes is a NUL, a dot or a slash: the test for a zero byte in a word, for both at once. */
function isPlain(word: number): boolean {
  const marked = (word | 0x01010101) ^ 0x2f2f2f2f; // 2e and 2f differ in the lowest bit
  return ((((word - 0x01010101) & ~word) | ((marked - 0x01010101) & ~marked)) & 0x80808080) === 0;
}

/** `^__[^/]*__($|/)` */
function isMeta(name: DataView, start: number, end: number): boolean {
  let stop = start;
  while (stop < end && name.getUint8(stop) !== SLASH) stop++;
  const isUnderscore = (at: number): boolean => name.getUint8(at) === UNDERSCORE;
  return stop - start >= 4 && isUnderscore(start + 1) && isUnderscore(stop - 1) && isUnderscore(stop - 2);
}
