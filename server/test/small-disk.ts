import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Whether this process may mount file systems: root may, outside of most containers. */
export const canMount = tryToMount();

if (!canMount) console.warn('no file system can be mounted here: the tests of full disks are skipped');

export interface SmallDisk {
  readonly folder: string;
  /** Takes all room that is left. */
  fill(): Promise<void>;
  /** Gives it back. */
  makeRoom(): Promise<void>;
}

/** A file system of its own, in memory. It goes with the test, after whatever is started on it. */
export function mountSmallDisk(
  megabytes: number,
  owner: { readonly uid: number; readonly gid: number } | null,
): SmallDisk {
  const folder = mount(megabytes);
  onTestFinished(() => unmount(folder));
  if (owner) chownSync(folder, owner.uid, owner.gid);
  const filler = join(folder, 'filler');
  return {
    folder,
    async fill() {
      const chunk = Buffer.alloc(4_096);
      for (;;) {
        try {
          await writeFile(filler, chunk, { flag: 'a' });
        } catch {
          return;
        }
      }
    },
    makeRoom: () => rm(filler),
  };
}

function mount(megabytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'depthwire-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch (error) {
    rmdirSync(folder);
    throw error;
  }
  return folder;
}

function unmount(folder: string): void {
  execFileSync('umount', [folder]);
  rmdirSync(folder);
}

function tryToMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    unmount(mount(1));
    return true;
  } catch {
    return false;
  }
}
