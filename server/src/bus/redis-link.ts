import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DepthwireError, type Clock } from '@depthwire/shared';
import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { LeaseRecord, LeaseStore } from './lease.ts';
import type { BusConfig } from './config.ts';
import { BusNames } from './lanes.ts';

/** The first version of Redis that has sharded channels. */
const OLDEST_VERSION = 7;
/** Bytes that Redis has not taken yet; with as many, messages are dropped: gateways see that and ask for whole books. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Between two tries to connect. */
const RETRY_MS = 250;
const CONNECT_WITHIN_MS = 2_000;
/** Longest that a start waits for Redis. */
const OPEN_WITHIN_MS = 3_000;
/** A connection on which nothing came for so long is made anew; each is asked for a sign of life as often. */
const DEAD_AFTER_MS = 5_000;
const PING_MS = 1_000;
/** Epochs are milliseconds; by far no clock tells as many. */
const MAX_EPOCH = 2 ** 52;
/** What Redis answers for as long as it starts, or its cluster chooses another master: it is away. */
const NOT_NOW = /^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|TRYAGAIN|MOVED|ASK) /;
/** What it answers where a key is another program's, or was made by hand. */
const SPOILT = /^WRONGTYPE|not an integer|overflow/;
/** What Node says of a certificate whose authority it does not know. */
const UNTRUSTED = /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)/;
/** How often the same trouble is logged. */
const LOG_AGAIN_MS = 30_000;

/** Redis cannot be asked now, which is told where its connections are: nobody's message is at fault. */
export class BusAway extends DepthwireError {
  constructor(cause: Error) {
    super('bus_unavailable', `bus: ${reasonOf(cause)}`, {}, cause);
  }
}

interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

export interface RedisLinkOptions {
  readonly config: BusConfig;
  readonly timers: Clock;
  readonly log: Log;
}

/** Lua: one step for whoever looks, also where memory is full. What is not there reads as an empty holder. */
const read = `#!lua flags=allow-oom
local h = redis.call('HMGET', KEYS[1], 'holder', 'epoch', 'beat')
local holder, epoch, beat = h[1] or '', h[2] or '0', h[3] or '0'`;
const scripts = {
  depthwireRenew: `${read}
if holder == ARGV[1] and epoch == ARGV[2] then beat = tostring(redis.call('HINCRBY', KEYS[1], 'beat', 1)) end
return {holder, epoch, beat}`,
  depthwireTake: `${read}
if holder ~= ARGV[2] or epoch ~= ARGV[3] or beat ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'epoch', ARGV[5], 'beat', '1')
return 1`,
  depthwireGive: `${read}
if holder == ARGV[1] then redis.call('HSET', KEYS[1], 'holder', '') end
return 0`,
} as const;

type Script = (key: string, ...args: (string | number)[]) => Promise<unknown>;
type Commands = (Redis | Cluster) & Record<keyof typeof scripts, Script>;

/**
 * The one Redis, or a cluster of them: sharded channels and leases. Nothing waits here without end: what cannot be sent
 * now is not sent.
 */
export class RedisLink implements LeaseStore {
  readonly names: BusNames;
  readonly #options: RedisLinkOptions;
  readonly #commands: Commands;
  /** Of a cluster the same: it has connections of its own for channels. */
  readonly #subscriber: Redis | Cluster;
  readonly #handlers = new Map<string, (message: Buffer) => void>();
  readonly #onDown = new Set<() => void>();
  /** Channels that are subscribed to, or are about to be. */
  readonly #listened = new Set<string>();
  #waitingBytes = 0;
  #isUp = false;
  #isClosed = false;
  #loggedAtMs = -Infinity;
  #ping: ReturnType<Clock['at']> | null = null;

  /** @throws DepthwireError `invalid_config` where a file that it names cannot be used */
  constructor(options: RedisLinkOptions) {
    this.#options = options;
    const { url, nodes, ca, prefix } = options.config;
    this.names = new BusNames(prefix);
    const isSecure = (nodes?.[0] ?? url)!.startsWith('rediss:');
    const common: RedisOptions = {
      connectTimeout: CONNECT_WITHIN_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      socketTimeout: DEAD_AFTER_MS,
      tls: isSecure ? (ca === undefined ? {} : { ca: readAuthority(ca) }) : undefined,
    };
    if (nodes !== undefined) {
      const [first] = nodes.map((node) => new URL(node));
      const cluster: ClusterOptions = {
        lazyConnect: true,
        shardedSubscribers: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: () => RETRY_MS,
        retryDelayOnClusterDown: RETRY_MS,
        slotsRefreshInterval: DEAD_AFTER_MS,
        redisOptions: {
          ...common,
          username: decodeURIComponent(first!.username) || undefined,
          password: decodeURIComponent(first!.password) || undefined,
        },
      };
      this.#commands = new Cluster([...nodes], cluster) as Commands;
      this.#subscriber = this.#commands;
    } else {
      const one: RedisOptions = { ...common, lazyConnect: true, retryStrategy: () => RETRY_MS };
      this.#commands = new Redis(url!, one) as Commands;
      this.#subscriber = new Redis(url!, one);
    }
    for (const [name, lua] of Object.entries(scripts))
      this.#commands.defineCommand(name, { numberOfKeys: 1, lua });
    for (const connection of new Set([this.#commands, this.#subscriber])) {
      connection.on('error', (error: Error) => this.#complain(error));
    }
    this.#subscriber.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
      try {
        this.#handlers.get(channel.toString())?.(message);
      } catch (error) {
        this.#complain(error as Error); // what somebody else wrote ends no process
      }
    });
    this.#subscriber.on('ready', () => this.#setUp(true));
    this.#subscriber.on('close', () => this.#setUp(false));
  }

  /** Whether the channels are connected. */
  get isUp(): boolean {
    return this.#isUp;
  }

  onDown(task: () => void): void {
    this.#onDown.add(task);
  }

  /**
   * Connects; where Redis is away it goes on trying, and that is no error.
   * @throws DepthwireError `bus_unavailable` where it is one that cannot be used
   */
  async open(): Promise<void> {
    this.#watch();
    const info = await Promise.race([this.#connect(), this.#after(OPEN_WITHIN_MS)]);
    const version = info === null ? undefined : /redis_version:(\S+)/.exec(info)?.[1];
    if (version !== undefined && Number.parseInt(version, 10) < OLDEST_VERSION)
      throw new DepthwireError(
        'bus_unavailable',
        `bus: Redis ${version} has no sharded channels: use Redis ${OLDEST_VERSION} or later`,
        { version },
      );
  }

  /** Has a channel told from now on, or as soon as Redis is there, also after the connection was lost and made anew. */
  subscribe(channel: string, handler: (message: Buffer) => void): void {
    this.#handlers.set(channel, handler);
    void this.#listen(channel);
  }

  /** For a channel on which nothing comes, though it should: a cluster may have moved it unawares. */
  async subscribeAnew(channel: string): Promise<void> {
    if (!this.#listened.delete(channel)) return;
    try {
      await this.#subscriber.sunsubscribe(channel);
    } catch (error) {
      this.#complain(error as Error);
    }
    await this.#listen(channel);
  }

  /** @returns false where it was dropped */
  publish(channel: string, message: Buffer | string): boolean {
    if (this.#commands.status !== 'ready' || this.#waitingBytes > MAX_WAITING_BYTES) return false;
    const { length } = message;
    this.#waitingBytes += length;
    const settled = () => {
      this.#waitingBytes -= length;
    };
    this.#commands.spublish(channel, message).then(settled, settled);
    return true;
  }

  async renew(feed: string, holder: string, epoch: number): Promise<LeaseRecord> {
    const key = this.names.lease(feed);
    const record = await this.#askLease('depthwireRenew', key, holder, epoch);
    const [found, ...counts] = record as [string, string, string];
    const [foundEpoch, beat] = counts.map(Number) as [number, number];
    // An epoch beyond counting would be the last one.
    if (!isCount(foundEpoch) || foundEpoch >= MAX_EPOCH || !isCount(beat)) throw noLease(key);
    return { holder: found, epoch: foundEpoch, beat };
  }

  async take(feed: string, holder: string, seen: LeaseRecord, epoch: number): Promise<boolean> {
    const key = this.names.lease(feed);
    const answer = await this.#askLease(
      'depthwireTake',
      key,
      holder,
      seen.holder,
      seen.epoch,
      seen.beat,
      epoch,
    );
    return answer === 1;
  }

  async give(feed: string, holder: string): Promise<void> {
    await this.#askLease('depthwireGive', this.names.lease(feed), holder);
  }

  close(): void {
    this.#isClosed = true;
    this.#ping?.cancel();
    this.#handlers.clear();
    this.#subscriber.disconnect();
    this.#commands.disconnect();
  }

  /** @throws BusAway, or DepthwireError `bus_unavailable` where Redis is there and refuses it */
  async #askLease(script: keyof typeof scripts, ...args: Parameters<Script>): Promise<unknown> {
    try {
      return await this.#commands[script](...args);
    } catch (cause) {
      const error = cause as Error;
      const [key] = args;
      if (SPOILT.test(error.message)) throw noLease(key);
      // What is no answer of Redis is the end of a connection, or that there is none.
      if (error.name === 'ReplyError' && !NOT_NOW.test(error.message))
        throw new DepthwireError('bus_unavailable', `${key}: Redis says ${error.message}`, { key }, error);
      if (error.name === 'ReplyError') this.#complain(error);
      throw new BusAway(error);
    }
  }

  /** @returns what Redis says of itself; null where it does not */
  async #connect(): Promise<string | null> {
    const connections = new Set<Redis | Cluster>([this.#commands, this.#subscriber]);
    // It tries again by itself, and of some failures never tells.
    await Promise.all([...connections].map((connection) => connection.connect().catch(() => undefined)));
    return this.#commands.info('server').catch(() => null);
  }

  #after(ms: number): Promise<null> {
    const { timers } = this.#options;
    return new Promise((resolve) => timers.at(timers.now() + ms, () => resolve(null)));
  }

  #setUp(isUp: boolean): void {
    if (this.#isClosed) return;
    // A cluster's channels are remembered where its connections are.
    if (!isUp && this.#subscriber instanceof Redis) this.#listened.clear();
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    if (isUp) this.#options.log.info({}, 'bus connected');
    else this.#options.log.warn({}, 'bus lost');
    if (isUp) this.#listenAll();
    else for (const task of this.#onDown) task();
  }

  #listenAll(): void {
    for (const channel of this.#handlers.keys()) void this.#listen(channel);
  }

  async #listen(channel: string): Promise<void> {
    if (!this.#isUp || this.#listened.has(channel)) return;
    this.#listened.add(channel);
    try {
      await this.#subscriber.ssubscribe(channel);
    } catch (error) {
      this.#listened.delete(channel); // and is tried again
      this.#complain(error as Error);
    }
  }

  /** A connection that says nothing may be a dead one: with a question each second there is always something to come. */
  #watch(): void {
    const { timers } = this.#options;
    this.#ping = timers.at(timers.now() + PING_MS, () => {
      if (this.#isClosed) return;
      this.#watch();
      this.#listenAll();
      for (const connection of new Set([this.#commands, this.#subscriber]))
        if (connection instanceof Redis && connection.status === 'ready')
          connection.ping().catch(() => undefined);
    });
  }

  #complain(error: Error): void {
    const now = this.#options.timers.now();
    if (this.#isClosed || now - this.#loggedAtMs < LOG_AGAIN_MS) return;
    this.#loggedAtMs = now;
    this.#options.log.warn({ code: 'bus_unavailable', reason: reasonOf(error) }, 'bus not reached');
  }
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;

/** Of a cluster what its last node said; in words of ours where the library speaks of itself; and what to do where nobody could guess it. */
function reasonOf(error: Error & { readonly code?: string; readonly lastNodeError?: Error }): string {
  const { name, code, message }: typeof error = error.lastNodeError ?? error;
  if (code !== undefined && UNTRUSTED.test(code))
    return `${message}: name the certificate of its authority in bus.ca`;
  if (message.startsWith('Socket timeout')) return `Redis has said nothing for ${DEAD_AFTER_MS / 1_000} s`;
  if (name === 'MaxRetriesPerRequestError') return 'the connection to Redis ended before it answered';
  if (/^(Stream isn't writeable|Connection is closed)/.test(message))
    return 'there is no connection to Redis';
  return message;
}

function readAuthority(file: string): string {
  const invalid = (why: string) =>
    new DepthwireError('invalid_config', `bus.ca: ${file} ${why}`, { key: 'bus.ca' });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`cannot be read: ${(error as Error).message}`);
  }
  try {
    new X509Certificate(text);
  } catch {
    throw invalid('holds no certificate: name the file of the authority, in PEM form, such as redis-ca.pem');
  }
  return text;
}

/** Another program's, or made by hand: it is left as it is. */
function noLease(key: string): DepthwireError {
  return new DepthwireError(
    'bus_unavailable',
    `${key}: expected a hash with holder, epoch and beat, the last two whole numbers: delete it, or choose another bus.prefix`,
    { key },
  );
}
