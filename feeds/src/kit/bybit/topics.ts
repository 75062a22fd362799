import type { EmulatedConnection } from '../venue-emulator.ts';

export type BybitMarket = 'spot' | 'linear' | 'inverse';

/** Levels a side of the books that can be had. */
export const DEPTHS = [1, 50, 200, 1000] as const;
export type Depth = (typeof DEPTHS)[number];
/** "Spot can input up to 10 args for each subscription request." */
const MAX_SPOT_ARGS = 10;
/** "For one public connection, you cannot have length of args array over 21,000 characters." */
const MAX_ARGS_LENGTH = 21_000;

/** What the venue keeps for a connection. */
export interface PublicClient {
  readonly connId: string;
  lastTrafficMs: number;
}

export interface Topic {
  readonly kind: 'orderbook' | 'publicTrade' | 'tickers';
  readonly symbol: string;
  readonly depth: Depth | null;
}

export interface Answering {
  readonly market: BybitMarket;
  has(symbol: string): boolean;
  onSubscribed(name: string, topic: Topic): void;
}

export function bookTopic(depth: Depth, symbol: string): string {
  return `orderbook.${depth}.${symbol}`;
}

function parseTopic(name: string): Topic | null {
  const [, kind, depth, symbol = ''] = /^(orderbook|publicTrade|tickers)(?:\.(\d+))?\.(.+)$/.exec(name) ?? [];
  if (kind === 'orderbook') {
    const known = DEPTHS.find((one) => String(one) === depth);
    return known === undefined ? null : { kind, symbol, depth: known };
  }
  if ((kind !== 'publicTrade' && kind !== 'tickers') || depth !== undefined) return null;
  return { kind, symbol, depth: null };
}

interface Request {
  readonly op?: unknown;
  readonly args?: unknown;
  readonly req_id?: unknown;
}

/** Does what a client asks for, and answers. A request with one wrong argument fails as a whole. */
export function answerRequest(
  connection: EmulatedConnection<PublicClient>,
  text: string,
  answering: Answering,
): void {
  const { conn_id, ...request } = { ...parse(text), conn_id: connection.state.connId };
  const { op, req_id = '' } = request;
  const answer = (success: boolean, ret_msg: string) =>
    connection.send({ success, ret_msg, conn_id, req_id, op: typeof op === 'string' ? op : '' });
  const args = Array.isArray(request.args) ? (request.args as unknown[]).map(String) : [];
  switch (op) {
    case 'ping':
      answer(true, 'pong');
      return;
    case 'subscribe': {
      const problem = problemWith(connection, args, answering);
      if (problem !== null) {
        answer(false, problem);
        return;
      }
      for (const name of args) connection.topics.add(name);
      answer(true, answering.market === 'spot' ? 'subscribe' : '');
      for (const name of args) answering.onSubscribed(name, parseTopic(name)!);
      return;
    }
    case 'unsubscribe':
      for (const name of args) connection.topics.delete(name);
      answer(true, answering.market === 'spot' ? 'unsubscribe' : '');
      return;
    default:
      answer(false, 'error:request op not found');
  }
}

function problemWith(
  { topics }: EmulatedConnection<PublicClient>,
  args: readonly string[],
  { market, has }: Answering,
): string | null {
  if (market === 'spot' && args.length > MAX_SPOT_ARGS) return `args size >${MAX_SPOT_ARGS}`;
  if ([...topics, ...args].join('').length > MAX_ARGS_LENGTH) return 'error:args length exceeds the limit';
  const strange = args.filter((name) => !has(parseTopic(name)?.symbol ?? ''));
  if (strange.length > 0)
    return market === 'spot'
      ? `Invalid symbol :[${strange.join(',')}]`
      : `error:handler not found,topic:${strange.join(',')}`;
  const known = args.find((name) => topics.has(name));
  return known === undefined ? null : `error:already subscribed,topic:${known}`;
}

function parse(text: string): Request {
  try {
    const request = JSON.parse(text) as unknown;
    return typeof request === 'object' && request !== null ? request : {};
  } catch {
    return {};
  }
}
