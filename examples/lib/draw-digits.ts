import type { NdArray } from "shardstream";

/** The first images of `[n, 28, 28]` side by side, in Braille: each character has two by four dots. */
export function drawDigits(images: NdArray<"uint8">, count: number): string {
  const lines: string[] = [];
  // Digits have an empty border of four pixels.
  for (let y = 4; y < 24; y += 4) {
    let line = "";
    for (let n = 0; n < Math.min(count, images.length); n++) {
      for (let x = 4; x < 24; x += 2) line += braille((dx, dy) => images.at(n, y + dy, x + dx) > 100);
      line += " ";
    }
    lines.push(line);
  }
  return lines.join("\n");
}

function braille(isSet: (dx: number, dy: number) => boolean): string {
  let dots = 0;
  // Unicode counts three dots down, three down on the right, then the two at the bottom.
  const order = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [0, 3], [1, 3]] as const; // biome-ignore format: a table
  for (const [bit, [dx, dy]] of order.entries()) if (isSet(dx, dy)) dots |= 1 << bit;
  return String.fromCodePoint(0x2800 + dots);
}
