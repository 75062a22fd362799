/** One line of a scrape. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A scrape in the text exposition format, as far as ours use it. */
export class Scrape {
  readonly series: readonly Series[];
  /** By metric. */
  readonly types: ReadonlyMap<string, string>;

  constructor(text: string) {
    const lines = text.split('\n');
    this.series = lines.flatMap((line) => {
      const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (!match) return [];
      const labels = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      return [
        {
          name: match[1]!,
          labels: Object.fromEntries(labels.map(([, name, value]) => [name!, value!])),
          value: Number(match[3]),
        },
      ];
    });
    this.types = new Map(
      lines.flatMap((line) => {
        const match = /^# TYPE (\w+) (\w+)$/.exec(line);
        return match ? [[match[1]!, match[2]!] as const] : [];
      }),
    );
  }

  /** The series of a name that have these labels, others too; null where there is none. */
  find(name: string, labels: Readonly<Record<string, string>> = {}): Series | null {
    const found = this.series.find(
      (one) =>
        one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    );
    return found ?? null;
  }

  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    return this.find(name, labels)?.value;
  }
}

export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(`${url}/metrics`);
  if (!response.ok) throw new Error(`GET /metrics answered ${response.status}`);
  return new Scrape(await response.text());
}
