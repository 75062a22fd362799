export type { Gap } from './channels.ts';
export { frameFields, frameNameOf, type FrameName } from './fields.ts';
export { passes, type FrameFilter } from './filter.ts';
export { hexDump } from './hex.ts';
export { FrameInspector, type InspectedFrame } from './inspector.ts';
export { fieldTexts, levelTexts, type LevelText } from './rows.ts';
export type { InspectedLevels } from './summary.ts';
export { FrameTotals, type KindTotals, type Rates } from './totals.ts';
