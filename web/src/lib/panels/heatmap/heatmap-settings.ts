import * as v from 'valibot';

/** Percentiles between which the colours are spread. */
export const lowPercentiles = [0, 25, 50, 75, 90] as const;
export const highPercentiles = [95, 98, 99, 99.9] as const;

/** What is chosen for a heatmap. */
export const heatmapSettings = v.object({
  from: v.fallback(v.picklist(lowPercentiles), 50),
  to: v.fallback(v.picklist(highPercentiles), 99),
  /** Bubbles of what was traded. */
  bubbles: v.fallback(v.boolean(), true),
});

export type HeatmapSettings = v.InferOutput<typeof heatmapSettings>;
