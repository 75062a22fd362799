export default {
  // The tsconfig extends a file that `svelte-kit sync` writes, and the tests need nothing of it.
  oxc: { tsconfig: false },
  test: { name: 'web', environment: 'node', include: ['src/**/*.test.ts'] },
};
