import { defineConfig, type RolldownOptions } from 'rolldown';

/** `depthwire.js` is the whole package in one module; the others show what is left of it for who takes a part. */
const entries = {
  'depthwire.js': 'src/index.ts',
  'size/client.js': 'size/client.ts',
  'size/replica.js': 'size/replica.ts',
  'size/inspect.js': 'src/inspect/index.ts',
};

export default defineConfig(
  Object.entries(entries).map(([file, input]): RolldownOptions => ({
    input,
    platform: 'browser',
    output: { file: `build/${file}`, format: 'esm', minify: true, sourcemap: true },
  })),
);
