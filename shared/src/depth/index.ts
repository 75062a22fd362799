// What a liquidity heatmap is drawn from, on the server and live in a browser.

export {
  bucketOf,
  DEPTH_BUCKETS,
  DEPTH_PERIOD_MS,
  depthColumn,
  depthPeriodOf,
  depthStep,
  groupDepthColumn,
  groupedBuckets,
  TradeTally,
  type DepthColumn,
  type TradedInPeriod,
} from './depth-column.ts';
export {
  decodeDepthColumns,
  DepthDecoder,
  DepthEncoder,
  type DepthAnswer,
  type DepthRecord,
  type DepthRun,
  type WireTraded,
} from './depth-records.ts';
