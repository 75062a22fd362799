import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { inspect } from 'node:util';
import { DepthwireError, toDepthwireError } from '@depthwire/shared';
import { z } from 'zod';
import { accessSchema } from '../access/config.ts';
import { busSchema, readBus } from '../bus/config.ts';
import { feedProblems } from '../feed-factory.ts';
import { loadPlugin } from '../plugins/load.ts';
import { feedList, feedNames, type FeedPlugins } from './feeds.ts';
import { readYaml } from './yaml.ts';
import { keys, network, oneOf, origin, text, trueOrFalse, url, wholeNumber } from './schema.ts';

/** Read when no other file is named and it exists. */
const DEFAULT_CONFIG_FILE = 'depthwire.yaml';
const DEFAULT_HISTORY_FILE = 'data/history.db';
/** Keys whose values may hold secrets. */
const SECRET: ReadonlySet<unknown> = new Set(['access', 'bus']);
/** Name and password in a URL, wherever one stands. */
const CREDENTIALS = /(?<=:\/\/)[^\s"'`]*(?=@)/g;
/** Of a wrong value, in a message. */
const MAX_SHOWN_CHARS = 80;

const configSchema = (plugins: FeedPlugins) =>
  keys(
    {
      /** What this process does: all of it by itself, or its part among several by a bus. */
      role: oneOf(['all', 'ingest', 'gateway']).default('all'),
      bus: busSchema.optional(),
      host: text('an address to listen on, such as 127.0.0.1').default('127.0.0.1'),
      port: wholeNumber(0, 65_535, 8080).default(8080),
      logLevel: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
      /** Folder of the built dashboard; without it only the API is served. */
      web: text('a folder, such as web/build').optional(),
      /** Origins of other sites whose pages may connect and read the API; `*` for all. */
      allowedOrigins: z
        .array(origin('https://example.com', { mayBeAny: true }), {
          error: 'expected a list of origins, such as [https://example.com]',
        })
        .default([]),
      /** Whether `/metrics` tells a Prometheus server how it runs. */
      metrics: trueOrFalse().default(true),
      /** Proxies whose word is taken for where a request comes from. */
      trustedProxies: z
        .array(network, {
          error: 'expected a list of addresses or networks, such as [127.0.0.1, 10.0.0.0/8]',
        })
        .default([]),
      access: accessSchema.prefault({}),
      tls: keys(
        {
          cert: text('a file with the certificate and its chain, such as fullchain.pem').optional(),
          key: text('a file with the private key, such as privkey.pem').optional(),
          /** One of our own making, which browsers warn of. */
          development: z.boolean({ error: 'expected true or false' }).optional(),
        },
        'cert: fullchain.pem',
      )
        .refine(
          ({ cert, key, development }) => (cert !== undefined && key !== undefined) !== Boolean(development),
          {
            error: 'expected cert and key, or development: true',
          },
        )
        .optional(),
      feeds: feedList(plugins).default([{ feed: 'sim' }]),
      gateway: keys(
        {
          heartbeatMs: wholeNumber(1_000, 300_000, 15_000).default(15_000),
          maxConnections: wholeNumber(1, 100_000, 10_000).default(10_000),
          maxConnectionsPerAddress: wholeNumber(1, 100_000, 200).default(200),
          maxConnectionsPerKey: wholeNumber(1, 100_000, 1_000).default(1_000),
          maxSubscriptions: wholeNumber(1, 10_000, 500).default(500),
          maxSubscriptionsPerAddress: wholeNumber(1, 1_000_000, 20_000).default(20_000),
          maxSubscriptionsPerKey: wholeNumber(1, 1_000_000, 50_000).default(50_000),
          maxRequestsPerSecond: wholeNumber(1, 100_000, 50).default(50),
          idleMs: wholeNumber(1_000, 86_400_000, 300_000).default(300_000),
          maxMessageBytes: wholeNumber(256, 65_536, 16_384).default(16_384),
          maxBufferedBytes: wholeNumber(65_536, 268_435_456, 262_144).default(262_144),
          /** Bytes of data a second and client; without it, as many as there are. */
          maxBandwidth: wholeNumber(1_000, 1_000_000_000, 1_000_000).optional(),
          checksumIntervalMs: wholeNumber(0, 60_000, 1_000).default(1_000),
        },
        'heartbeatMs: 15000',
      ).prefault({}),
      http: keys(
        {
          /** Of one address or key, those that open WebSockets too. */
          maxRequestsPerMinute: wholeNumber(1, 1_000_000, 1_200).default(1_200),
          /** Until all headers of a request have arrived, milliseconds. */
          headersTimeoutMs: wholeNumber(100, 120_000, 10_000).default(10_000),
        },
        'maxRequestsPerMinute: 600',
      ).prefault({}),
      history: keys(
        {
          /** Books of so long in columns of a second; 0 for none. */
          depthMinutes: wholeNumber(0, 1_440, 60).default(60),
          maxInstruments: wholeNumber(1, 10_000, 250).default(250),
          maxBytes: wholeNumber(1_000_000, 16_000_000_000, 256_000_000).default(256_000_000),
          /** What is kept beyond memory: in a file of this machine, in a database that several share, or nowhere. */
          store: oneOf(['sqlite', 'postgres', 'none']).default('sqlite'),
          path: text(`a file, such as ${DEFAULT_HISTORY_FILE}`)
            .refine((path) => path !== ':memory:', {
              error: `would be a file of that name: name another, such as ${DEFAULT_HISTORY_FILE}, or set history.store: none`,
            })
            // Whether any other name is a folder, its store finds out: a disk may never answer, and keeps no server from starting.
            .refine((path) => !/(^|\/)\.{0,2}$/.test(path), {
              error: `is a folder: name a file in it, such as ${DEFAULT_HISTORY_FILE}`,
            })
            .default(DEFAULT_HISTORY_FILE),
          /** With `store: postgres`. */
          url: url(['postgres:', 'postgresql:'], 'postgres://user:password@db:5432/depthwire').optional(),
          keepTradesHours: wholeNumber(1, 876_000, 168).default(168),
          /** Candles of a second, a minute, and of an hour and more. */
          keepSecondsHours: wholeNumber(1, 876_000, 48).default(48),
          keepMinutesDays: wholeNumber(1, 36_500, 400).default(400),
          keepHoursDays: wholeNumber(1, 36_500, 3_650).default(3_650),
          /** Columns of books; 0 for none. */
          keepDepthHours: wholeNumber(0, 87_600, 6).default(6),
        },
        'depthMinutes: 60',
      )
        .refine((history) => history.store !== 'postgres' || history.url !== undefined, {
          path: ['url'],
          error: 'expected a URL such as postgres://user:password@db:5432/depthwire, as store is postgres',
        })
        .refine((history) => history.store !== 'sqlite' || history.url === undefined, {
          path: ['url'],
          error: 'goes with history.store: postgres: set that too, or remove history.url',
        })
        .refine((history) => history.store !== 'postgres' || history.path === DEFAULT_HISTORY_FILE, {
          path: ['path'],
          error: 'goes with history.store: sqlite: set that, or remove history.path',
        })
        .prefault({}),
      /** Longest wait for clients and feeds to end at shutdown. */
      shutdownMs: wholeNumber(0, 60_000, 5_000).default(5_000),
    },
    'port: 8080',
  );

export type Config = z.infer<ReturnType<typeof configSchema>>;

/** Keys that the environment may set, and how its text is read. */
const environmentKeys: Readonly<Record<string, { key: keyof Config; read(value: string): unknown }>> = {
  DEPTHWIRE_ROLE: { key: 'role', read: (value) => value },
  DEPTHWIRE_BUS: { key: 'bus', read: readBus },
  HOST: { key: 'host', read: (value) => value },
  // what is no number is left as it is, for the message
  PORT: { key: 'port', read: (value) => (/^\s*\d+\s*$/.test(value) ? Number(value) : value) },
  LOG_LEVEL: { key: 'logLevel', read: (value) => value },
  DEPTHWIRE_WEB: { key: 'web', read: (value) => value },
  // what is neither is left as it is, for the message
  DEPTHWIRE_METRICS: {
    key: 'metrics',
    read: (value) => (['true', 'false'].includes(value) ? value === 'true' : value),
  },
  DEPTHWIRE_ALLOWED_ORIGINS: {
    key: 'allowedOrigins',
    read: (value) => value.split(',').map((part) => part.trim()),
  },
  DEPTHWIRE_ACCESS: { key: 'access', read: readYaml },
  DEPTHWIRE_TRUSTED_PROXIES: {
    key: 'trustedProxies',
    read: (value) => value.split(',').map((part) => part.trim()),
  },
  DEPTHWIRE_FEEDS: { key: 'feeds', read: readYaml },
  DEPTHWIRE_HISTORY: { key: 'history', read: readYaml },
};

export interface ConfigSources {
  /** Named on the command line or in `DEPTHWIRE_CONFIG`: must exist. */
  readonly file?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From the command line; wins over everything. */
  readonly overrides?: Partial<Record<keyof Config, unknown>>;
  readonly cwd: string;
}

/** @returns the file that is read, or would be where there is one */
export function configFile({ file, env, cwd }: ConfigSources): string {
  return resolve(cwd, namedFile({ file, env }) ?? DEFAULT_CONFIG_FILE);
}

function namedFile({ file, env }: Pick<ConfigSources, 'file' | 'env'>): string | undefined {
  return file ?? env.DEPTHWIRE_CONFIG;
}

/**
 * Defaults, then the file, then the environment, then the command line.
 * @throws DepthwireError `config_not_found` or `invalid_config`, naming each wrong key and the fix
 */
export async function loadConfig(configSources: ConfigSources): Promise<Config> {
  const { env, overrides = {}, cwd } = configSources;
  const path = configFile(configSources);
  const fromFile = await readConfigFile(path, namedFile(configSources) !== undefined);
  const input = { ...fromFile };
  const sources: Record<string, string> = Object.fromEntries(
    Object.keys(fromFile).map((key) => [key, basename(path)]),
  );
  for (const [name, { key, read }] of Object.entries(environmentKeys)) {
    const value = env[name];
    if (value === undefined || value === '') continue;
    sources[key] = name;
    try {
      input[key] = read(value);
    } catch (error) {
      throw new DepthwireError(
        'invalid_config',
        `${key} (${name}): not readable as YAML: ${(error as Error).message}`,
        { key },
      );
    }
  }
  for (const [key, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    sources[key] = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    input[key] = value;
  }
  const folder = input.feeds === fromFile.feeds ? dirname(path) : cwd;
  return parseConfig(input, sources, await loadPlugins(input.feeds, folder));
}

/** What feeds are named that are modules of their own. */
async function loadPlugins(feeds: unknown, folder: string): Promise<FeedPlugins> {
  const entries: readonly unknown[] = Array.isArray(feeds) ? feeds : [];
  const names = entries
    .map((entry) => (entry as { feed?: unknown } | null)?.feed)
    .filter((name): name is string => typeof name === 'string' && name !== '' && !feedNames.includes(name));
  const loaded = [...new Set(names)].map(
    async (name) => [name, await loadPlugin(name, folder).catch(toDepthwireError)] as const,
  );
  return new Map(await Promise.all(loaded));
}

/**
 * @param sources where keys come from that are not the file's
 * @param plugins modules that feeds are named by
 * @throws DepthwireError `invalid_config`
 */
export function parseConfig(
  input: unknown,
  sources: Readonly<Record<string, string>> = {},
  plugins: FeedPlugins = new Map(),
): Config {
  const result = configSchema(plugins).safeParse(input);
  const problems = result.success
    ? [...busProblems(result.data), ...feedProblems(result.data.feeds)]
    : result.error.issues.flatMap(eachKey);
  if (result.success && problems.length === 0) return result.data;
  const lines = problems.map(({ path, message }) => {
    const source = sources[String(path[0])];
    const at = `${keyOf(path)}${source === undefined ? '' : ` (${source})`}`;
    // What stands where a key or a password should be may be one, in another form.
    const isShown = message.startsWith('expected') && !SECRET.has(path[0]);
    return `${at}: ${message}${isShown ? `, got ${show(valueAt(input, path))}` : ''}`;
  });
  throw new DepthwireError('invalid_config', [...new Set(lines)].join('\n'), {
    key: keyOf(problems[0]!.path),
  });
}

/** What only several keys together can tell. */
function busProblems({ role, bus }: Config): { path: string[]; message: string }[] {
  if (role === 'all' || bus !== undefined) return [];
  const fix = 'bus: { url: redis://127.0.0.1:6379 }, or DEPTHWIRE_BUS=redis://127.0.0.1:6379';
  return [{ path: ['bus'], message: `a process of role ${role} needs a bus: set ${fix}` }];
}

async function readConfigFile(path: string, mustExist: boolean): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!mustExist && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new DepthwireError(
      'config_not_found',
      `${path}: cannot be read: ${(error as Error).message}`,
      { file: path },
      error,
    );
  }
  let value: unknown;
  try {
    value = readYaml(text);
  } catch (error) {
    throw new DepthwireError('invalid_config', `${path}: not valid YAML: ${(error as Error).message}`, {
      file: path,
    });
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new DepthwireError('invalid_config', `${path}: expected keys and values, such as port: 8080`, {
      file: path,
    });
  }
  return value as Record<string, unknown>;
}

type Path = readonly PropertyKey[];

/** Unknown keys come together, and are told one by one. */
function eachKey(issue: z.core.$ZodIssue): { path: Path; message: string }[] {
  const { path, message } = issue;
  return issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) => ({ path: [...path, key], message }))
    : [{ path, message }];
}

/** `feeds[0].market` */
function keyOf(path: Path): string {
  const key = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return key.replace(/^\./, '') || 'config';
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce((node, part) => (node as Record<PropertyKey, unknown> | undefined)?.[part], input);
}

function show(value: unknown): string {
  if (value == null) return 'nothing';
  const shown = typeof value === 'string' ? JSON.stringify(value) : inspect(value, { breakLength: Infinity });
  return shown.replace(CREDENTIALS, '[secret]').slice(0, MAX_SHOWN_CHARS);
}
