/** Verdicts of a run, and text for its tables. */
export class Report {
  readonly #lines: string[] = [];
  readonly missed: string[] = [];
  met = 0;

  heading(level: 1 | 2, title: string): void {
    this.text(`${"#".repeat(level)} ${title}`);
  }

  text(...lines: readonly string[]): void {
    this.#lines.push(...lines, "");
  }

  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
    this.text(line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line));
  }

  /** A figure beside its goal, with a plain word on it. */
  atLeast(what: string, value: number, goal: number | undefined, unit = "x"): string {
    return this.#judge(
      what,
      `${short(value)}${unit}`,
      goal === undefined ? undefined : value >= goal,
      `>= ${goal}${unit}`,
    );
  }

  below(what: string, value: number, goal: number | undefined, unit: string): string {
    return this.#judge(
      what,
      `${short(value)}${unit}`,
      goal === undefined ? undefined : value < goal,
      `< ${goal}${unit}`,
    );
  }

  #judge(what: string, figure: string, met: boolean | undefined, goal: string): string {
    if (met === undefined) return figure;
    if (met) this.met++;
    else this.missed.push(`${what}: ${figure}, goal ${goal}`);
    return `${met ? figure : `**${figure}**`} (${goal}, ${met ? "met" : "**missed**"})`;
  }

  toString(): string {
    return `${this.#lines.join("\n").trimEnd()}\n`;
  }
}

/** Three digits, as more would be noise. */
export function short(value: number): string {
  const abs = Math.abs(value);
  const digits = abs >= 100 ? 0 : abs >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

/** 1,234,567 to three digits: 1,230,000. */
export function rate(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US");
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
