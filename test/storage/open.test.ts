import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shownAddress } from "../../src/storage/address.ts";
import { type ByteReader, byteReaderOf } from "../../src/storage/byte-reader.ts";
import { openBytes } from "../../src/storage/open.ts";

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) >>> 3);

async function readWhole(reader: ByteReader, step = 65_536): Promise<Uint8Array> {
  const window = new Uint8Array(step);
  const chunks: Uint8Array[] = [];
  for (let count = await reader.read(window); count > 0; count = await reader.read(window))
    chunks.push(window.slice(0, count));
  return new Uint8Array(Buffer.concat(chunks));
}

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shardstream-"));
  path = join(folder, "a b#?.bin");
  writeFileSync(path, CONTENT);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("openBytes() of a file", () => {
  test("reads paths, relative paths and file: addresses into the caller's memory", async () => {
    for (const address of [path, relative(process.cwd(), path), pathToFileURL(path).href]) {
      for (const step of [1 << 20, 4096, 77_777]) {
        const reader = await openBytes(address);
        expect(reader.size).toBeUndefined();
        expect(await readWhole(reader, step)).toEqual(CONTENT);
        await reader.close();
        await reader.close();
      }
    }
  });

  test("names what is missing, and what to do", async () => {
    await expect(openBytes(join(folder, "none.tar"))).rejects.toMatchObject({
      code: "SHARD_UNREADABLE",
      message: `Cannot read "${join(folder, "none.tar")}": no such file`,
      hint: expect.any(String),
      facts: { url: join(folder, "none.tar") },
    });
    const opened = openBytes(folder).then((reader) => reader.read(new Uint8Array(9)).finally(() => reader.close()));
    await expect(opened).rejects.toMatchObject({
      code: "SHARD_UNREADABLE",
      message: expect.stringMatching(/it is a folder/),
    });
  });

  test("an abort rejects with its reason, before and while reading", async () => {
    const reason = new Error("enough");
    await expect(openBytes(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const control = new AbortController();
    const reader = await openBytes(path, { signal: control.signal });
    const pending = reader.read(new Uint8Array(10));
    control.abort(reason);
    await expect(pending).rejects.toBe(reason);
    await expect(reader.read(new Uint8Array(10))).rejects.toBe(reason);
    await reader.close();
  });

  test.each(["s3://b/a.tar", "at://x/y/z", "pipe:rm -rf /", "ftp://h/a.tar"])(
    "%s is not supported",
    async (address) => {
      await expect(openBytes(address)).rejects.toMatchObject({ code: "UNSUPPORTED", hint: expect.any(String) });
    },
  );
});

describe("openBytes() over HTTP", () => {
  let server: Server;
  let origin: string;
  let open = 0; // connections that a response still occupies
  const routes: Readonly<Record<string, (response: ServerResponse) => void>> = {
    "/a.bin": (response) => response.end(CONTENT),
    "/chunked.bin": (response) => {
      response.write(CONTENT.subarray(0, 1000));
      response.end(CONTENT.subarray(1000));
    },
    "/cut.bin": (response) => {
      response.writeHead(200, { "content-length": CONTENT.length });
      response.write(CONTENT.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
    },
    "/slow.bin": (response) => {
      response.writeHead(200, { "content-length": CONTENT.length });
      response.write(CONTENT.subarray(0, 1000));
    },
    "/gone": (response) => response.writeHead(404).end("x".repeat(100_000)),
    "/broken": (response) => response.writeHead(503).end(),
  };
  beforeAll(async () => {
    server = createServer((request, response) => {
      open++;
      response.on("close", () => open--);
      routes[new URL(request.url!, origin).pathname]?.(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("reads the body, and knows its size where the server says it", async () => {
    const known = await openBytes(`${origin}/a.bin`);
    expect(known.size).toBe(CONTENT.length);
    expect(await readWhole(known, 10_000)).toEqual(CONTENT);
    await known.close();
    const unknown = await openBytes(`${origin}/chunked.bin`);
    expect(unknown.size).toBeUndefined();
    expect(await readWhole(unknown)).toEqual(CONTENT);
    await unknown.close();
    await unknown.close();
  });

  test("tells a status other than 2xx, without the secrets in the address", async () => {
    for (const [route, status] of [
      ["/gone", 404],
      ["/broken", 503],
    ] as const) {
      await expect(openBytes(`${origin}${route}?token=secret`)).rejects.toMatchObject({
        code: "SHARD_UNREADABLE",
        message: `Cannot read "${origin}${route}?token=…": status ${status}`,
        facts: { status, url: `${origin}${route}?token=…` },
        hint: expect.any(String),
      });
    }
  });

  test("a body that breaks off is an error", async () => {
    const reader = await openBytes(`${origin}/cut.bin`);
    await expect(readWhole(reader)).rejects.toMatchObject({
      code: "SHARD_TRUNCATED",
      message: expect.stringMatching(/the body ended after \d+ of 300000 bytes/),
      facts: { url: `${origin}/cut.bin` },
    });
    await reader.close();
  });

  test("a host that does not answer is unreadable, with the cause", async () => {
    const reader = openBytes("http://127.0.0.1:1/a.tar");
    await expect(reader).rejects.toMatchObject({ code: "SHARD_UNREADABLE", cause: expect.any(Error) });
  });

  test("an abort rejects with its reason and ends the request", async () => {
    const reason = new Error("enough");
    await expect(openBytes(`${origin}/a.bin`, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const control = new AbortController();
    const reader = await openBytes(`${origin}/slow.bin`, { signal: control.signal });
    expect(await reader.read(new Uint8Array(1000))).toBe(1000);
    const pending = reader.read(new Uint8Array(1000));
    setTimeout(() => control.abort(reason), 10);
    await expect(pending).rejects.toBe(reason);
    await reader.close();
    await expect.poll(() => open).toBe(0);
  });

  test("closing early ends the request", async () => {
    const reader = await openBytes(`${origin}/slow.bin`);
    await reader.read(new Uint8Array(10));
    await reader.close();
    await expect.poll(() => open).toBe(0);
  });
});

describe("byteReaderOf()", () => {
  test("reads any web stream, in steps of the caller", async () => {
    const stream = new Blob([CONTENT])
      .stream()
      .pipeThrough(new CompressionStream("gzip"))
      .pipeThrough(new DecompressionStream("gzip"));
    expect(await readWhole(byteReaderOf(stream as ReadableStream<Uint8Array>), 999)).toEqual(CONTENT);
  });

  test("close() cancels the stream, and twice is fine", async () => {
    let reason: unknown = "no";
    const reader = byteReaderOf(
      new ReadableStream({
        cancel: () => {
          reason = "cancelled";
        },
      }),
    );
    await reader.close();
    await reader.close();
    expect(reason).toBe("cancelled");
  });
});

describe("shownAddress()", () => {
  test.each([
    ["https://me:pw@host:80/a/b.tar?X-Sig=abc&y=1&raw#frag", "https://host:80/a/b.tar?X-Sig=…&y=…&…"],
    ["https://host/a@b.tar", "https://host/a@b.tar"],
    ["s3://key:secret@bucket/a.tar", "s3://bucket/a.tar"],
    ["dir/a?b=c@d.tar", "dir/a?b=c@d.tar"],
    ["http://host", "http://host"],
    ["file:///a/b.tar", "file:///a/b.tar"],
  ])("%s is shown as %s", (address, shown) => {
    expect(shownAddress(address)).toBe(shown);
  });
});
