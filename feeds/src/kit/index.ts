/** For people who write a feed: venues that run on the loopback interface, with known books. */
export { BinanceEmulator, startBinanceEmulator, type BinanceEmulatorOptions } from './binance/emulator.ts';
export type { EmulatedSymbol } from './binance/market.ts';
export { fastClock } from './fast-clock.ts';
export { FeedObserver, type ObservedMarket } from './feed-observer.ts';
export {
  respondJson,
  startLoopbackServer,
  type LoopbackOptions,
  type LoopbackServer,
} from './loopback-server.ts';
export { MarketWalk, type Change, type Step, type WalkOptions, type WalkTrade } from './market-walk.ts';
export {
  canonicalBook,
  textUnits,
  TruthBook,
  unitsText,
  type Side,
  type TextBook,
  type TextLevel,
} from './truth-book.ts';
