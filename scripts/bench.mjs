// npm run bench: install the peers that the benchmarks compare us with, then run them. See docs/performance.md.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensureInstalled, nodeBinary, root } from './setup.mjs';

const args = process.argv.slice(2);
const isRun = !args.includes('--help') && !args.includes('-h');

ensureInstalled();
if (isRun && !args.includes('--smoke')) ensureInstalled('bench', 'the peers');

const flags = ['--expose-gc', '--no-warnings'];
const { status } = spawnSync(nodeBinary(), [...flags, path.join(root, 'bench/src/main.ts'), ...args], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
