import { END_BLOCKS, headerSize, paddedSize, putHeader } from "../../src/tar/writer.ts";

const encoder = new TextEncoder();

/** A tar of plain members, made with the library's own header writer. */
export function makeTar(
  members: Readonly<Record<string, Uint8Array | string>> | readonly (readonly [string, Uint8Array | string])[],
  end: number = END_BLOCKS,
): Uint8Array {
  const pieces: Uint8Array[] = [];
  const list = Array.isArray(members)
    ? (members as readonly (readonly [string, Uint8Array | string])[])
    : Object.entries(members as Record<string, Uint8Array | string>);
  for (const [name, content] of list) {
    const data = typeof content === "string" ? encoder.encode(content) : content;
    pieces.push(makeMember(name, data));
  }
  pieces.push(new Uint8Array(end));
  return concat(pieces);
}

/** One member with its header and padding. */
export function makeMember(name: string, data: Uint8Array): Uint8Array {
  const bytes = encoder.encode(name);
  const head = headerSize(bytes);
  const member = new Uint8Array(head + paddedSize(data.length));
  putHeader(member, 0, bytes, data.length);
  member.set(data, head);
  return member;
}

/** A header with fields of one's own, and a right checksum unless one is given. */
export function makeHeader(
  name: string,
  {
    size = "00000000000\0",
    type = "0",
    checksum,
  }: { size?: string | Uint8Array; type?: string; checksum?: string } = {},
): Uint8Array {
  const header = new Uint8Array(512);
  putHeader(header, 0, encoder.encode(name), 0);
  header.set(typeof size === "string" ? encoder.encode(size) : size, 124);
  header[156] = type.charCodeAt(0);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(encoder.encode(checksum ?? `${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return header;
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
