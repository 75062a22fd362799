import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DepthwireError } from '@depthwire/shared';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';

/** Read when no other file is named and it exists. */
const DEFAULT_CONFIG_FILE = 'depthwire.yaml';

const url = (protocols: string[], example: string) =>
  z.string().refine(
    (text) => {
      const parsed = URL.parse(text);
      return parsed !== null && protocols.includes(parsed.protocol) && !text.endsWith('/');
    },
    { error: `expected a URL such as ${example}, without a slash at the end` },
  );

const simulatorFeed = z.strictObject({
  feed: z.literal('sim'),
  seed: z.union([z.string(), z.int()]).optional(),
  instruments: z.array(z.string()).min(1, 'expected at least one instrument id').optional(),
  rate: z.number().optional(),
  historyDays: z.number().optional(),
});

const venueFeed = z.strictObject({
  feed: z.string().regex(/^[a-z0-9-]+$/, 'expected the name of a venue, such as binance'),
  id: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'expected small letters, digits and dashes')
    .optional(),
  market: z.string(),
  symbols: z.array(z.string().min(1)).min(1, 'expected at least one symbol'),
  endpoints: z
    .strictObject({
      ws: url(['ws:', 'wss:'], 'wss://stream.example.com:9443').optional(),
      rest: url(['http:', 'https:'], 'https://api.example.com').optional(),
    })
    .optional(),
  httpSpacingMs: z.int().min(0).max(60_000).optional(),
});

const configSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(8080),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Folder of the built dashboard; without it only the API is served. */
  web: z.string().optional(),
  /** Origins of other sites whose pages may connect. */
  allowedOrigins: z.array(url(['http:', 'https:'], 'https://example.com')).default([]),
  feeds: z
    .array(z.union([simulatorFeed, venueFeed]))
    .min(1, 'expected at least one feed')
    .default([{ feed: 'sim' }]),
  gateway: z
    .strictObject({
      heartbeatMs: z.int().min(1_000).max(300_000).default(15_000),
      maxConnections: z.int().min(1).max(100_000).default(10_000),
      maxSubscriptions: z.int().min(1).max(10_000).default(500),
      maxMessageBytes: z.int().min(256).max(65_536).default(16_384),
      maxBufferedBytes: z.int().min(65_536).max(268_435_456).default(4_194_304),
      checksumIntervalMs: z.int().min(0).max(60_000).default(1_000),
    })
    .prefault({}),
  /** Longest wait for clients and feeds to end at shutdown. */
  shutdownMs: z.int().min(0).max(60_000).default(5_000),
});

export type Config = z.infer<typeof configSchema>;
export type FeedConfig = Config['feeds'][number];

/** Keys that the environment may set, and how its text is read. */
const environmentKeys = {
  HOST: { key: 'host', read: (text: string): unknown => text },
  PORT: { key: 'port', read: Number },
  LOG_LEVEL: { key: 'logLevel', read: (text: string): unknown => text },
  DEPTHWIRE_WEB: { key: 'web', read: (text: string): unknown => text },
  DEPTHWIRE_ALLOWED_ORIGINS: {
    key: 'allowedOrigins',
    read: (text: string): unknown => text.split(',').map((part) => part.trim()),
  },
  DEPTHWIRE_FEEDS: { key: 'feeds', read: (text: string): unknown => parseYaml(text) },
} as const;

export interface ConfigSources {
  /** Named on the command line or in `DEPTHWIRE_CONFIG`: must exist. */
  readonly file?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From the command line; wins over everything. */
  readonly overrides?: Partial<Record<keyof Config, unknown>>;
  readonly cwd: string;
}

/**
 * Defaults, then the file, then the environment, then the command line.
 * @throws DepthwireError `config_not_found` or `invalid_config`, naming each wrong key and the fix
 */
export async function loadConfig({ file, env, overrides = {}, cwd }: ConfigSources): Promise<Config> {
  const named = file ?? env.DEPTHWIRE_CONFIG;
  const path = resolve(cwd, named ?? DEFAULT_CONFIG_FILE);
  const fromFile = await readConfigFile(path, named !== undefined);
  const fromEnvironment: Record<string, unknown> = {};
  for (const [name, { key, read }] of Object.entries(environmentKeys)) {
    const text = env[name];
    if (text === undefined || text === '') continue;
    try {
      fromEnvironment[key] = read(text);
    } catch (error) {
      throw new DepthwireError(
        'invalid_config',
        `${name}: not readable as YAML: ${(error as Error).message}`,
        { key: name },
        error,
      );
    }
  }
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  return parseConfig({ ...fromFile, ...fromEnvironment, ...given });
}

/** @throws DepthwireError `invalid_config` */
export function parseConfig(input: unknown): Config {
  const result = configSchema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => explain(issue, input));
  throw new DepthwireError('invalid_config', problems.join('\n'), { key: problems[0]?.split(':')[0] });
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
    value = parseYaml(text);
  } catch (error) {
    throw new DepthwireError(
      'invalid_config',
      `${path}: not valid YAML: ${(error as Error).message}`,
      { file: path },
      error,
    );
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new DepthwireError('invalid_config', `${path}: expected keys and values, such as port: 8080`, {
      file: path,
    });
  }
  return value as Record<string, unknown>;
}

function explain(issue: z.core.$ZodIssue, input: unknown): string[] {
  const at = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${at ? `${at}.` : ''}${key}: unknown key; remove it or correct its name`);
  }
  if (issue.code === 'invalid_union') {
    const value = issue.path.reduce<unknown>(
      (node, part) => (node as Record<PropertyKey, unknown> | undefined)?.[part],
      input,
    );
    const isSimulator = (value as { feed?: unknown } | null | undefined)?.feed === 'sim';
    const issues = issue.errors[isSimulator ? 0 : 1] ?? [];
    return issues.flatMap((inner) =>
      explain({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, input),
    );
  }
  return [`${at || 'config'}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`];
}
