export { createDepthwire, type Depthwire, type DepthwireOptions } from './depthwire.ts';
export { loadConfig, parseConfig, type Config } from './config/config.ts';
export { createFeeds } from './feed-factory.ts';
export type { FeedSource } from './engine/feed-source.ts';
