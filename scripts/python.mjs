// Prints the path of a Python that has what examples/python needs, and gets the packages where it can.
// Exit code 1, and why not, where it cannot.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { installDebian, isDebianRoot, root } from './setup.mjs';

const requirements = path.join(root, 'examples/python/requirements.txt');
const environment = path.join(root, 'test-results/python');
const installed = path.join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const stamp = path.join(environment, '.requirements');
const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
const reasons = [];

function run(file, args) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  if (status === 0) return true;
  const output = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').at(-1) || error?.message;
  reasons.push(`${[path.basename(file), ...args].join(' ')}: ${output}`);
  return false;
}

/** An environment of its own, so that nothing else on the machine is changed. */
function fromIndex() {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
  const isMade =
    run('python3', ['-m', 'venv', '--clear', environment]) &&
    run(installed, [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--requirement',
      requirements,
    ]);
  if (isMade) writeFileSync(stamp, wanted);
  return isMade;
}

/** Debian's own packages are older, and do as well. */
function fromDebian(python) {
  const hasPackages = () => run(python, ['-c', 'import msgpack, websockets']);
  if (hasPackages()) return true;
  if (!isDebianRoot()) return false;
  return installDebian(['python3', 'python3-msgpack', 'python3-websockets']).ok && hasPackages();
}

const found = fromIndex() ? installed : ['/usr/bin/python3'].find(fromDebian);
if (found) console.log(found);
else {
  console.error(`no Python with msgpack and websockets:\n  ${reasons.join('\n  ')}`);
  process.exitCode = 1;
}
