import { execFileSync } from 'node:child_process';
import path from 'node:path';

// In a process of its own: what the compiler opens would keep this one.
execFileSync(process.execPath, [path.join(import.meta.dirname, 'paraglide.mjs')], { stdio: 'inherit' });

export default {
  // The tsconfig extends a file that `svelte-kit sync` writes, and the tests need nothing of it.
  oxc: { tsconfig: false },
  test: {
    name: 'web',
    environment: 'node',
    include: ['src/**/*.test.ts'],
    isolate: false,
    maxWorkers: 2, // both as the other projects: those of different numbers run one after the other, or not at all
  },
};
