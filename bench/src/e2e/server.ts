import path from 'node:path';
import { freePort, ServerProcess } from '../harness/server.ts';
import { symbolsOf } from './scenario.ts';

/** Names a folder for a CPU profile of the server: DEPTHWIRE_E2E_PROFILE=profiles */
const PROFILE = 'DEPTHWIRE_E2E_PROFILE';

/** The server with the venue's addresses in its configuration. */
export async function startServer(
  endpoints: { ws: string; rest: string },
  instruments: number,
): Promise<ServerProcess> {
  const profiles = process.env[PROFILE];
  const profile = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profiles)}`];
  const feed = {
    feed: 'binance',
    market: 'spot',
    symbols: symbolsOf(instruments),
    endpoints,
    // the venue's limits of requests, which would make the start of the books a matter of minutes
    httpSpacingMs: 0,
  };
  return ServerProcess.start({ feeds: [feed] }, await freePort(), profile);
}
