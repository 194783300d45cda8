/**
 * Memory whose every byte will be written before it is read. Where the runtime can, it comes without being zeroed first, which
 * for large arrays costs as much as filling them.
 */
export function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  const unsafe = (globalThis as { Buffer?: { allocUnsafeSlow?(size: number): Uint8Array<ArrayBuffer> } }).Buffer;
  const memory = unsafe?.allocUnsafeSlow?.(bytes);
  return memory === undefined
    ? new Uint8Array(bytes)
    : new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
}

/** Gives memory back at once, rather than when the garbage collector gets to it. Nobody may look at it any more. */
export function free({ buffer }: Uint8Array<ArrayBuffer>): void {
  (buffer as { transfer?(length: number): ArrayBuffer }).transfer?.(0);
}
