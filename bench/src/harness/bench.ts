/** How long and how large a benchmark runs: `smoke` only shows that it works. */
export type Size = 'full' | 'smoke';

export interface BenchOptions {
  readonly size: Size;
  /** Of `cluster`: how many clients, and which faults; default: as many as belong to the size, and all. */
  readonly clients?: number;
  readonly faults?: readonly string[];
  /** Says what is being done, on a terminal. */
  progress(text: string): void;
}

/** A table as it is printed: the first row is the head. */
export interface Table {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** A ratio or figure that shall hold. */
export interface Goal {
  readonly name: string;
  readonly value: number;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
}

export type Figures = Readonly<Record<string, number>>;

export interface BenchResult {
  readonly bench: string;
  /** Our figures; their names tell the unit. */
  readonly ours: Figures;
  readonly peers: Readonly<Record<string, Figures>>;
  readonly ratios: Figures;
  readonly goals: readonly Goal[];
  readonly tables: readonly Table[];
  /** Spread of the rounds: the largest of (third quartile - first) / median over all that was measured. */
  readonly noise: number;
}

export interface Bench {
  readonly name: string;
  readonly title: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

export function isMet({ value, bound }: Goal): boolean {
  return 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost;
}
