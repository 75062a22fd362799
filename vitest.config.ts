import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Tests start a hundred processes: what one compiled and stripped of its types, the next finds. The command line keeps it there too.
process.env.NODE_COMPILE_CACHE ??= path.join(import.meta.dirname, 'node_modules/.cache/depthwire');

// Servers of the command line keep no history unless a test says so: it would be one file for all.
process.env.DEPTHWIRE_HISTORY = '{store: none}';

const testTimeout = 20_000; // some tests start processes, on machines that are busy with the other checks
const hookTimeout = 30_000; // a database is made before some of them

const nodePackage = (name: string, maxConcurrency?: number) => ({
  test: {
    name,
    root: name,
    environment: 'node',
    include: ['src/**/*.test.ts'],
    testTimeout,
    hookTimeout,
    ...(maxConcurrency && { maxConcurrency }),
  },
});

/** Files that take longest, longest first: begun last, they would keep one worker while the other has nothing to do. */
const LONG = [
  /\/bench\/src\/smoke/,
  /\/server\/src\/cli\//,
  /\/conformance\.test/,
  /\/examples\//,
  /\/recorded\.test/,
];

/** In a fresh clone Vitest knows no times, and would go by the sizes of files. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONG.findIndex((pattern) => pattern.test(moduleId));
      return place < 0 ? LONG.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    isolate: false, // tests share nothing but modules without state, and to load those anew took a fifth of the time
    maxWorkers: 2, // by itself Vitest leaves a core to others, which of two is half
    projects: [
      nodePackage('shared'),
      nodePackage('feeds'),
      nodePackage('server', 3), // the command line, of which each test is processes
      // examples/venue has tests for Node's own runner: this project runs that
      { test: { name: 'examples', environment: 'node', include: ['examples/*.test.ts'], testTimeout } },
      { test: { name: 'scripts', environment: 'node', include: ['scripts/**/*.test.ts'], testTimeout } },
      {
        test: {
          name: 'bench',
          root: 'bench',
          environment: 'node',
          include: ['src/**/*.test.ts'],
          testTimeout: 120_000,
          maxConcurrency: 2,
        },
      },
      'web', // has its own configuration
    ],
  },
});
