import type { z } from 'zod';
import { readYaml } from '../config/yaml.ts';
import { keys, list, textLike, url } from '../config/schema.ts';

const EXAMPLE = 'redis://127.0.0.1:6379';
const redis = () => url(['redis:', 'rediss:'], EXAMPLE);

/** Where the bus is that joins processes of roles ingest and gateway. */
export const busSchema = keys(
  {
    url: redis().optional(),
    nodes: list(redis(), `node of a Redis cluster, such as [${EXAMPLE}]`).optional(),
    /** Keeps several groups of processes on one Redis apart. */
    prefix: textLike(
      /^[a-z0-9-]{1,40}$/,
      'up to 40 small letters, digits and dashes, such as depthwire',
    ).default('depthwire'),
  },
  `url: ${EXAMPLE}`,
).refine(({ url, nodes }) => (url === undefined) !== (nodes === undefined), {
  error: `expected either url, such as ${EXAMPLE}, or nodes of a Redis cluster`,
});

export type BusConfig = z.infer<typeof busSchema>;

/** A URL alone, or keys and values. */
export function readBus(value: string): unknown {
  return /^rediss?:/.test(value) ? { url: value } : readYaml(value);
}
