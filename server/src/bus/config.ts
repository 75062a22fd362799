import type { z } from 'zod';
import { readYaml } from '../config/yaml.ts';
import { keys, list, text, textLike, url } from '../config/schema.ts';

const EXAMPLE = 'redis://127.0.0.1:6379';
const redis = () => url(['redis:', 'rediss:'], EXAMPLE);

/** Where the bus is that joins processes of roles ingest and gateway. */
export const busSchema = keys(
  {
    url: redis().optional(),
    nodes: list(redis(), `node of a Redis cluster, such as [${EXAMPLE}]`).optional(),
    /** For a Redis whose certificate is of an authority of one's own. */
    ca: text('a file with the certificate of an authority, such as redis-ca.pem').optional(),
    /** Keeps several groups of processes on one Redis apart. */
    prefix: textLike(
      /^[a-z0-9-]{1,40}$/,
      'up to 40 small letters, digits and dashes, such as depthwire',
    ).default('depthwire'),
  },
  `url: ${EXAMPLE}`,
)
  .refine(({ url, nodes }) => (url === undefined) !== (nodes === undefined), {
    error: `expected either url, such as ${EXAMPLE}, or nodes of a Redis cluster`,
  })
  .refine(({ url, nodes }) => new Set((nodes ?? [url]).map((each) => each?.split(':')[0])).size === 1, {
    path: ['nodes'],
    error: 'expected all of them with redis:// or all with rediss://',
  })
  .refine(({ url, nodes, ca }) => ca === undefined || (nodes?.[0] ?? url)?.startsWith('rediss:'), {
    path: ['ca'],
    error: 'is of no use without TLS: write rediss:// in bus.url or bus.nodes, or remove it',
  });

export type BusConfig = z.infer<typeof busSchema>;

/** A URL alone, or keys and values. What is a text and no such URL is refused as one, with the schemes that are. */
export function readBus(value: string): unknown {
  const read = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : readYaml(value);
  return typeof read === 'string' ? { url: read } : read;
}
