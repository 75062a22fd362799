import { defineConfig } from 'vitest/config';

const testTimeout = 20_000; // some tests start processes, on machines that are busy with the other checks

const nodePackage = (name: string) => ({
  test: { name, root: name, environment: 'node', include: ['src/**/*.test.ts'], testTimeout },
});

export default defineConfig({
  test: {
    maxWorkers: 2, // by itself Vitest leaves a core to others, which of two is half
    projects: [
      nodePackage('shared'),
      nodePackage('feeds'),
      nodePackage('server'),
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
        },
      },
      'web', // has its own configuration
    ],
  },
});
