import { DepthwireError } from '@depthwire/shared';
import type { VenueAdapter } from '../core/venue.ts';
import { findVenue, venues } from '../registry.ts';
import type { CaptureRecord } from './read.ts';

/** Whose frames a capture holds; its market may be told later. */
export interface CaptureIdentity {
  readonly adapter: VenueAdapter;
  readonly market: string | null;
}

/**
 * The venue that somebody names, and its market, named too or the only one it has.
 * @throws DepthwireError `unknown_venue`
 */
export function identityByName(venue: string, market: string | undefined): CaptureIdentity {
  const adapter = findVenue(venue, market);
  return { adapter, market: market ?? onlyOne(Object.keys(adapter.markets)) };
}

/** Whose socket a record opens, as its recorder or its URL tells; null where no adapter knows it. */
export function identityBySocket({
  url,
  venue,
  market: told,
}: Pick<CaptureRecord, 'url' | 'venue' | 'market'>): CaptureIdentity | null {
  const named = venues.find((adapter) => adapter.venue === venue);
  if (named && told !== undefined && Object.hasOwn(named.markets, told))
    return { adapter: named, market: told };
  for (const adapter of venues) {
    const market = adapter.capture.marketOf(url);
    if (market !== null) return { adapter, market };
  }
  return null;
}

/** Whose HTTP answers these are, by their hosts, for a capture that holds no socket's URL. */
export function identityByAnswers(records: readonly CaptureRecord[]): CaptureIdentity | null {
  const urls = records.filter(({ kind }) => kind === 'rest').map(({ url }) => url);
  for (const adapter of venues) {
    const own = urls.filter((url) => restMarkets(adapter, url).length > 0);
    if (own.length === 0) continue;
    // Where markets share a host, the URL of their metadata tells them apart.
    const markets = own.map((url) =>
      onlyOne(
        restMarkets(adapter, url).filter(
          (market, _, all) =>
            all.length === 1 || adapter.capture.isMetadata({ kind: 'rest', url, data: '' }, market),
        ),
      ),
    );
    const market = onlyOne([...new Set(markets.filter((name) => name !== null))]);
    const [first, ...others] = Object.keys(adapter.markets);
    const isOneSocket = others.every((other) => isSameSocket(adapter, first!, other));
    return { adapter, market: market ?? (isOneSocket ? first! : null) };
  }
  return null;
}

/** Whether sockets of one market carry the other's instruments too. */
export function isSameSocket(
  { markets, socketUrl }: VenueAdapter,
  market: string,
  other: string | null,
): boolean {
  if (market === other) return true;
  const [one, two] = [markets[market], other === null ? undefined : markets[other]];
  return one !== undefined && two !== undefined && socketUrl(market, one) === socketUrl(other!, two);
}

/** @param identity as far as it is known */
export function unknownVenue(file: string, identity: CaptureIdentity | null): DepthwireError {
  const what = identity
    ? `nothing in the capture tells the market of ${identity.adapter.venue}; name it with --market: ${Object.keys(identity.adapter.markets).join(', ')}`
    : 'nothing in the capture tells its venue; name it with --venue and --market';
  return new DepthwireError('capture_unknown_venue', `${file}: line 1: ${what}`, { file, line: 1 });
}

/** Markets whose REST host a URL names. */
function restMarkets({ markets }: VenueAdapter, url: string): string[] {
  if (!URL.canParse(url)) return [];
  const { host } = new URL(url);
  return Object.keys(markets).filter((market) => new URL(markets[market]!.rest).host === host);
}

function onlyOne<T>(values: readonly T[]): T | null {
  return values.length === 1 ? values[0]! : null;
}
