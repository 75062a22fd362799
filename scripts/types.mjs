// npm run types: the types of every package, each by itself, for each may use something else.
// The native compiler takes a fifth of the time. ESLint and svelte-check need the other one's API, so both are installed.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './setup.mjs';

const compiler = path.join(root, 'node_modules/typescript-native/bin/tsc');

// All of them, so that what is wrong in several comes out at once. More threads would read the same files again.
const failed = ['shared', 'feeds', 'server', 'bench', '.'].filter((project) => {
  const args = [compiler, '-p', project, '--singleThreaded'];
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
