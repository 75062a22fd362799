/** For people who write a feed: venues that run on the loopback interface, with known books. */
export {
  BinanceEmulator,
  startBinanceEmulator,
  type BinanceEmulatorOptions,
  type BinanceMarket,
  type BinanceSymbol,
} from './binance/emulator.ts';
export { BitstampEmulator, startBitstampEmulator } from './bitstamp/emulator.ts';
export {
  BybitEmulator,
  startBybitEmulator,
  type BybitEmulatorOptions,
  type BybitMarket,
  type BybitSymbol,
} from './bybit/emulator.ts';
export {
  DeribitEmulator,
  startDeribitEmulator,
  type DeribitEmulatorOptions,
  type DeribitSymbol,
} from './deribit/emulator.ts';
export { CoinbaseEmulator, startCoinbaseEmulator } from './coinbase/emulator.ts';
export { KrakenEmulator, startKrakenEmulator } from './kraken/emulator.ts';
export { BitfinexEmulator, startBitfinexEmulator } from './bitfinex/emulator.ts';
export { EmulatedBook, type EmulatedSymbol, type Levels, type PastState } from './emulated-book.ts';
export {
  EmulatedConnection,
  VenueEmulator,
  type BookMessage,
  type Burst,
  type Damage,
  type EmulatedListing,
  type EmulatorControls,
  type EmulatorOptions,
  type SnapshotAnswer,
} from './venue-emulator.ts';
export {
  Bench,
  conformanceCards,
  conformanceTests,
  type BenchOptions,
  type ConformanceCard,
  type ConformanceDriver,
  type ConformanceTest,
} from './conformance/index.ts';
export { OkxEmulator, startOkxEmulator, type OkxEmulatorOptions, type OkxMarket } from './okx/emulator.ts';
export { PastQuery, type EmulatedCandle, type EmulatedTrade, type PastAnswer } from './past-log.ts';
export { fastClock, type FastClock } from './fast-clock.ts';
export { FeedObserver, type ObservedMarket } from './feed-observer.ts';
export {
  respondJson,
  startLoopbackServer,
  type LoopbackOptions,
  type LoopbackServer,
} from './loopback-server.ts';
export { MarketWalk, type Change, type Step, type WalkOptions, type WalkTrade } from './market-walk.ts';
export { scriptSession, START_MS } from './scripted-session.ts';
export { SimulatedFlow, type LevelChange, type SimulatedFlowOptions } from './simulated-flow.ts';
export {
  canonicalBook,
  textUnits,
  TruthBook,
  unitsText,
  type Side,
  type TextBook,
  type TextLevel,
} from './truth-book.ts';
