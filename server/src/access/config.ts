import { topics } from '@depthwire/shared';
import { z } from 'zod';
import { keys, list, oneOf, origin, text, textLike, trueOrFalse, wholeNumber } from '../config/schema.ts';

/** The name of a key in logs and metrics. */
const keyId = textLike(
  /^[a-z0-9-]{1,40}$/,
  'up to 40 small letters, digits and dashes, such as trading-desk',
);

const instrumentPatterns = list(
  textLike(/^\S{1,97}$/, 'an instrument or a pattern, such as sim:BTC-USD or sim:*'),
  'instrument or pattern, such as [sim:*]',
);

const topicList = list(oneOf(topics), 'topic, such as [ticker]');

const bounds = {
  maxDepth: wholeNumber(1, 1_000, 50).optional(),
  minCadenceMs: wholeNumber(0, 5_000, 100),
  maxConnections: wholeNumber(1, 100_000, 100).optional(),
  maxSubscriptions: wholeNumber(1, 1_000_000, 1_000).optional(),
  maxBandwidth: wholeNumber(1_000, 1_000_000_000, 100_000).optional(),
  maxRequestsPerMinute: wholeNumber(1, 1_000_000, 600).optional(),
};

const grantShape = {
  ...bounds,
  instruments: instrumentPatterns.default(['*']),
  topics: topicList.default([...topics]),
  minCadenceMs: bounds.minCadenceMs.default(0),
  operate: trueOrFalse().default(false),
};

const grantsSchema = keys(grantShape, 'instruments: [sim:*]');

/** Of a token: what differs from what all tokens grant. */
export const claimSchema = keys(
  {
    ...bounds,
    instruments: instrumentPatterns.optional(),
    topics: topicList.optional(),
    minCadenceMs: bounds.minCadenceMs.optional(),
    operate: trueOrFalse().optional(),
  },
  'instruments: [sim:*]',
);

const expiry = z.iso
  .date({ error: 'expected a date such as 2027-01-31, after which the key is refused' })
  .transform((date) => Date.parse(date) + 86_400_000)
  .optional();

const secretKey = keys(
  {
    ...grantShape,
    id: keyId,
    /** Not the key itself: who reads the configuration cannot use it. */
    hash: textLike(/^sha256:[0-9a-f]{64}$/, 'what `depthwire key` printed, sha256: and 64 digits'),
    expires: expiry,
  },
  'id: desk',
);

/** In pages for everybody to read: what it is good for has to be said. */
const publishableKey = keys(
  {
    ...bounds,
    id: keyId,
    key: textLike(/^dw_pk_[\w-]{43}$/, 'what `depthwire key --publishable` printed, dw_pk_ and 43 letters'),
    origins: list(origin('https://example.com'), 'origin, such as [https://example.com]'),
    instruments: instrumentPatterns,
    topics: topicList,
    maxDepth: bounds.maxDepth.unwrap().default(20),
    minCadenceMs: bounds.minCadenceMs.default(100),
    expires: expiry,
  },
  'id: shop',
);

const jwt = keys(
  {
    secretFile: text('a file that holds the shared secret, at least 32 bytes').optional(),
    jwksFile: text('a file that holds a JSON Web Key Set').optional(),
    issuer: text('who must have issued a token, its claim iss').optional(),
    audience: text('whom a token must be for, its claim aud').optional(),
    /** Of a token, but for what its claim `depthwire` says. */
    grants: grantsSchema.prefault({}),
  },
  'jwksFile: keys.json',
).refine(({ secretFile, jwksFile }) => secretFile !== undefined || jwksFile !== undefined, {
  error: 'expected secretFile (HS256) or jwksFile (RS256, ES256, PS256, EdDSA), or both',
});

export const accessSchema = keys(
  {
    /** Anybody may read: everything, or what is granted here. */
    public: z
      .union([z.boolean(), grantsSchema], { error: 'expected true, false or what is granted' })
      .default(false),
    keys: z
      .array(secretKey, { error: 'expected a list of keys, such as [{id: desk, hash: "sha256:…"}]' })
      .default([]),
    publishableKeys: z
      .array(publishableKey, { error: 'expected a list of keys, each with its origins' })
      .default([]),
    jwt: jwt.optional(),
    /** A connection that has not said by then who it is ends. */
    authenticateWithinMs: wholeNumber(100, 120_000, 10_000).default(10_000),
  },
  'public: true',
).superRefine(({ keys: secret, publishableKeys }, context) => {
  const ids = new Set<string>();
  const values = new Set<string>();
  const tell = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  for (const [name, entries] of Object.entries({ keys: secret, publishableKeys })) {
    for (const [i, entry] of entries.entries()) {
      if (ids.has(entry.id)) tell([name, i, 'id'], `${entry.id} is taken by an earlier key`);
      ids.add(entry.id);
      const [field, value] = 'hash' in entry ? ['hash', entry.hash] : ['key', entry.key];
      if (values.has(value)) tell([name, i, field], 'is that of an earlier key: make one for each');
      values.add(value);
    }
  }
});

export type AccessConfig = z.infer<typeof accessSchema>;
