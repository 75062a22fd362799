import { conformanceCards, type ConformanceCard } from './cards.ts';
import type { ConformanceDriver } from './bench.ts';

export { Bench, type BenchOptions, type ConformanceDriver } from './bench.ts';
export { conformanceCards, type ConformanceCard } from './cards.ts';

/** A card as a test of one adapter, for any test runner. */
export interface ConformanceTest {
  /** `DROP: finds a lost update, …`. */
  readonly name: string;
  /** Why the venue's protocol cannot pass it; then `run` fails where it does pass. */
  readonly knownGap: string | null;
  run(): Promise<void>;
}

/** The cards that apply to a venue. */
export function conformanceTests(driver: ConformanceDriver): ConformanceTest[] {
  const unknown = Object.keys(driver.knownGaps ?? {}).filter(
    (id) => !conformanceCards.some((c) => c.id === id),
  );
  if (unknown.length > 0) throw new Error(`known gaps: there is no card ${unknown.join(', ')}`);
  return conformanceCards
    .filter((card) => card.appliesTo?.(driver) ?? true)
    .map((card) => {
      const knownGap = driver.knownGaps?.[card.id] ?? null;
      return {
        name: `${card.id}: ${card.behaviour}${knownGap === null ? '' : ` (known gap: ${knownGap})`}`,
        knownGap,
        run: () => (knownGap === null ? card.run(driver) : mustFail(card, driver)),
      };
    });
}

async function mustFail(card: ConformanceCard, driver: ConformanceDriver): Promise<void> {
  try {
    await card.run(driver);
  } catch {
    return;
  }
  throw new Error(`${card.id} passes: it is no known gap of ${driver.name} any more`);
}
