import type { InstrumentId } from '../model/instrument.ts';
import type { BookOptions, BookSubscription } from './book-subscription.ts';
import type { StreamClient } from './stream-client.ts';
import type {
  CandlesOptions,
  CandlesSubscription,
  StatusSubscription,
  Subscription,
  SubscriptionOptions,
  TickerSubscription,
  TradesSubscription,
} from './subscription.ts';

type Common =
  | 'topic'
  | 'instrumentId'
  | 'instrument'
  | 'granted'
  | 'refusal'
  | 'hasData'
  | 'isClosed'
  | 'resyncs'
  | 'receivedAtMs'
  | 'on'
  | 'close';

/** What a reader sees of a subscription, on whichever thread its frames are decoded. */
export type SubscriptionView = Pick<Subscription, Common>;
export type BookView = Pick<BookSubscription, Common | 'book' | 'state' | 'reason' | 'replica'>;
export type TradesView = Pick<TradesSubscription, Common | 'trades' | 'latest' | 'merged'>;
export type CandlesView = Pick<CandlesSubscription, Common | 'candles' | 'latest' | 'replaced'>;
export type TickerView = Pick<TickerSubscription, Common | 'ticker' | 'state'>;
export type StatusView = Pick<StatusSubscription, Common | 'state' | 'sinceMs' | 'reason'>;

/** What a reader sees of a client: a `DepthwireClient`, or a `RemoteClient` for one on another thread. */
export interface ClientView extends StreamView {
  book(instrument: InstrumentId, options?: BookOptions): BookView;
}

/** That of a `StreamClient`, which has no books. */
export interface StreamView extends Pick<
  StreamClient,
  | 'hello'
  | 'principal'
  | 'limited'
  | 'roundTripMs'
  | 'clockOffsetMs'
  | 'clockUncertaintyMs'
  | 'retryAtMs'
  | 'traffic'
  | 'state'
  | 'connect'
  | 'reconnectNow'
  | 'close'
  | 'on'
> {
  trades(instrument: InstrumentId, options?: SubscriptionOptions): TradesView;
  ticker(instrument: InstrumentId, options?: SubscriptionOptions): TickerView;
  candles(instrument: InstrumentId, options: CandlesOptions): CandlesView;
  status(instrument: InstrumentId, options?: SubscriptionOptions): StatusView;
}
