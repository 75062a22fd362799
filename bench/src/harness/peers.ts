import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Whether a peer can be measured: they are installed when the benchmarks run in full for the first time. */
export function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * A peer, or a file of it that it does not export.
 * @param file beside the package's main file
 */
export async function loadPeer<T>(name: string, file?: string): Promise<T> {
  const main = import.meta.resolve(name);
  return (await import(file === undefined ? main : new URL(file, main).href)) as T;
}
