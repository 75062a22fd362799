import { parseArgs, styleText } from 'node:util';
import { benches } from './benches.ts';
import { isMet, type BenchResult } from './harness/bench.ts';
import { report } from './harness/report.ts';

const HELP = `npm run bench -- [book|wire|fanout|e2e|ingest|screen|wall|embed|day|slow|history|stampede|scale|cluster ...]
              [--json] [--smoke] [--clients N] [--faults a,b]

Runs our code beside its peers in one run and prints tables with ratios; all benchmarks where none is named.

  --json    the last line of each is one object: {"bench", "ours", "peers", "ratios"}
  --smoke   seconds instead of minutes: shows that they run and come to the right results; no figure of it counts
  --clients of cluster, default 1500
  --faults  of cluster: none, leader, gateway, redis, postgres, cut-leader, cut-gateway, reset, clock-gateway,
            clock-leader; default: all, one after the other
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      smoke: { type: 'boolean' },
      clients: { type: 'string' },
      faults: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const unknown = positionals.filter((name) => !Object.hasOwn(benches, name));
  if (unknown.length > 0) throw new UsageError(`there is no benchmark called ${unknown.join(', ')}`);
  const clients = values.clients === undefined ? undefined : Number(values.clients);
  if (clients !== undefined && !(Number.isSafeInteger(clients) && clients > 0))
    throw new UsageError(`--clients: expected a whole number above 0, got ${values.clients}`);
  const faults = values.faults?.split(',');
  let missed = 0;
  for (const name of positionals.length > 0 ? new Set(positionals) : Object.keys(benches)) {
    const bench = await benches[name as keyof typeof benches]();
    process.stderr.write(`${styleText('bold', `${bench.name}: ${bench.title}`)}\n`);
    const result = await bench.run({ size: values.smoke ? 'smoke' : 'full', progress, clients, faults });
    progress('');
    process.stdout.write(`\n${report(result)}\n`);
    if (values.json) process.stdout.write(`${line(result)}\n`);
    missed += result.goals.filter((goal) => !isMet(goal)).length;
  }
  return missed > 0 && !values.smoke ? 1 : 0;
}

class UsageError extends Error {}

function line({ bench, ours, peers, ratios, noise }: BenchResult): string {
  return JSON.stringify({ bench, ours, peers, ratios, noise });
}

/** One line that is written over on a terminal, and a line each elsewhere. */
function progress(text: string): void {
  const { stderr } = process;
  if (stderr.isTTY) stderr.write(`\r\u001B[K${text.slice(0, stderr.columns - 1)}`);
  else if (text !== '') stderr.write(`  ${text}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage =
    error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(isUsage ? `${(error as Error).message}\n\n${HELP}` : `${(error as Error).stack}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
