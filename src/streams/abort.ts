/** A promise that ends with the signal's reason when that comes first: what is waited for may never end. */
export async function untilAborted<R>(promise: Promise<R>, signal: AbortSignal): Promise<R> {
  promise.catch(() => {}); // it may fail unheard, after the abort
  signal.throwIfAborted();
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
