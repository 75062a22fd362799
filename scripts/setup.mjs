// Gets a checkout ready to run: dependencies, the built web app, a browser for the tests.
// It runs before anything is installed: Node 18 syntax, and no imports beyond Node's own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20; // runs npm and these scripts
const SERVER_NODE = 24; // runs everything else; optionalDependencies bring it along
const TAIL_LINES = 30;

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const inRoot = (...parts) => path.join(root, ...parts);
const nodeMajor = (version) => Number(version.replace(/^v/, '').split('.')[0]);

if (nodeMajor(process.version) < OLDEST_NODE) {
  fail(
    `Depthwire needs Node ${OLDEST_NODE} or newer, this is ${process.version} (${process.execPath}).`,
    'an older Node comes first on the PATH.',
    `Install Node ${SERVER_NODE} from https://nodejs.org, or run: nvm install`,
  );
}

/** Ends the process with what failed, the likely reason, and what to do about it. */
export function fail(what, why, todo) {
  console.error(`\n✖ ${what}\n  Likely because: ${why}\n  What to do: ${todo}\n`);
  process.exit(1);
}

/** The command line of the npm that runs this script, or of the one on the PATH. */
export function npmCommand(args) {
  const cli = process.env.npm_execpath ?? '';
  if (cli.endsWith('npm-cli.js')) return { file: process.execPath, args: [cli, ...args], shell: false };
  return { file: 'npm', args, shell: process.platform === 'win32' };
}

function npm(args, options = {}) {
  const { file, args: all, shell } = npmCommand(args);
  return run(file, all, { shell, ...options });
}

function run(file, args, options = {}) {
  const result = spawnSync(file, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
    ...options,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? `${result.error.message}\n` : ''}`;
  return { ok: result.status === 0, output };
}

function showTail(output) {
  console.error(output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n'));
}

/** Says what takes a while, does it, and says how long it took. */
function timed(label, action) {
  console.log(`${label} …`);
  const started = Date.now();
  const result = action();
  if (result.ok) console.log(`${label}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(inRoot(file), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Compares a lock file with npm's own record of what it installed, and with what the packages ask for. */
function isInstalled(folder) {
  const wanted = readJson(path.join(folder, 'package-lock.json'))?.packages ?? {};
  const installed = readJson(path.join(folder, 'node_modules/.package-lock.json'))?.packages;
  if (!installed) return false;
  return Object.entries(wanted).every(([location, entry]) => {
    if (location.includes('node_modules/')) {
      return installed[location] ? installed[location].version === entry.version : Boolean(entry.optional);
    }
    const manifest = readJson(path.join(folder, location, 'package.json')) ?? {};
    return ['dependencies', 'devDependencies', 'optionalDependencies'].every((kind) =>
      sameEntries(manifest[kind], entry[kind]),
    );
  });
}

function sameEntries(a = {}, b = {}) {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** @param folder with a package.json and a lock file */
export function ensureInstalled(folder = '.', what = 'dependencies') {
  if (isInstalled(folder)) return;
  const flags = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const { ok, output } = timed(`Installing ${what} (npm ci)`, () =>
    npm(['ci', ...flags], { cwd: inRoot(folder) }),
  );
  if (ok) return;
  showTail(output.split('npm error Clean install a project')[0]); // what follows is npm's help
  if (/EUSAGE|in sync/.test(output)) {
    fail('npm ci failed.', 'package.json and package-lock.json do not agree.', 'Run: npm install');
  }
  if (/EACCES|EPERM/.test(output)) {
    fail('npm ci failed.', `this user may not write to ${root}.`, `Run: sudo chown -R "$USER" "${root}"`);
  }
  if (/ENOSPC/.test(output)) {
    fail('npm ci failed.', 'the disk is full.', 'Free about 1 GB, then run the same command again.');
  }
  fail(
    'npm ci failed.',
    'the npm registry could not be reached, or npm is set up for another one.',
    'Check the connection (npm ping) and proxy settings, then run the same command again.',
  );
}

/** Node 24: the one that npm installed, or the one that runs this. */
export function nodeBinary() {
  const installed = inRoot('node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(installed)) return installed;
  if (nodeMajor(process.version) >= SERVER_NODE) return process.execPath;
  return fail(
    `Depthwire needs Node ${SERVER_NODE} to run, this is ${process.version}.`,
    `npm has no package of Node ${SERVER_NODE} for ${process.platform}-${process.arch}, or left it out.`,
    `Install Node ${SERVER_NODE} from https://nodejs.org, or run: nvm install`,
  );
}

export function ensureBuilt() {
  const stampFile = inRoot('web', 'build', '.stamp');
  const sources = hashOf(['package-lock.json', 'web', 'shared', 'web/project.inlang/settings.json']);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === sources) return;
  nodeBinary();
  const { ok, output } = timed('Building the web app', () => npm(['run', 'build', '-w', 'web']));
  if (!ok) {
    showTail(output);
    fail(
      'The web app could not be built.',
      'of the error above; right after a clone, an incomplete install.',
      'Fix the error, or start over with: npm ci && npm run build',
    );
  }
  writeFileSync(stampFile, sources);
}

/** A hash over the names and contents of these files and folders, without tests and what tools generate. */
function hashOf(entries) {
  const hash = createHash('sha256');
  const add = (file) =>
    hash
      .update(`${file}\0`)
      .update(readFileSync(inRoot(file)))
      .update('\0');
  const walk = (folder) => {
    const children = readdirSync(inRoot(folder), { withFileTypes: true });
    for (const child of children.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = `${folder}/${child.name}`;
      if (child.isDirectory()) {
        if (!['node_modules', 'build', '.svelte-kit', 'paraglide', 'project.inlang'].includes(child.name))
          walk(file);
      } else if (child.isFile() && !child.name.includes('.test.')) add(file);
    }
  };
  for (const entry of entries) {
    if (path.extname(entry)) add(entry);
    else walk(entry);
  }
  return hash.digest('hex');
}

function aptInstall(what, packageName) {
  const { ok, output } = timed(`Installing ${what} (apt-get)`, () => installDebian([packageName]));
  if (!ok) showTail(output);
}

/**
 * Leaves the path of a program that tests start in the environment, for whom it is installed where that can be done;
 * without it those tests are skipped.
 * @param find its path, or undefined
 */
function ensureProgram(what, { variable, packageName, find, skipped }) {
  if (process.env[variable]) return;
  if (!find() && isDebianRoot()) aptInstall(what, packageName);
  const found = find();
  if (found) process.env[variable] = found;
  else console.log(`No ${what} here: ${skipped} are skipped.`);
}

const firstOf = (files) => files.find((file) => existsSync(file));

export function ensureNginx() {
  ensureProgram('nginx', {
    variable: 'NGINX_PATH',
    packageName: 'nginx-light',
    find: () =>
      firstOf(['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/bin/nginx', '/opt/homebrew/bin/nginx']),
    skipped: 'the tests with a proxy before the server',
  });
}

export function ensureRedis() {
  ensureProgram('Redis', {
    variable: 'REDIS_PATH',
    packageName: 'redis-server',
    find: () =>
      firstOf(['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/opt/homebrew/bin/redis-server']),
    skipped: 'the tests of several processes',
  });
}

export function ensureDockerCompose() {
  ensureProgram('docker-compose', {
    variable: 'DOCKER_COMPOSE_PATH',
    packageName: 'docker-compose',
    find: () => firstOf(['/usr/bin/docker-compose', '/usr/local/bin/docker-compose']),
    skipped: 'the tests of docker-compose.yml by its own program',
  });
}

/** The folder of its programs. */
export function ensurePostgres() {
  const debian = '/usr/lib/postgresql';
  const folders = () => {
    const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
    return [
      ...versions.map((version) => path.join(debian, version, 'bin')),
      '/usr/local/bin',
      '/opt/homebrew/bin',
    ];
  };
  ensureProgram('PostgreSQL', {
    variable: 'POSTGRES_PATH',
    packageName: 'postgresql',
    find: () => folders().find((folder) => existsSync(path.join(folder, 'initdb'))),
    skipped: 'the tests of history in it',
  });
}

function findChromium() {
  const known = [
    // Without the browser's own window, which costs as much again as the page.
    '/usr/bin/chromium-headless-shell',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ].find((file) => existsSync(file));
  if (known) return known;
  const print = 'process.stdout.write(require("@playwright/test").chromium.executablePath())';
  const ofPlaywright = run(nodeBinary(), ['-e', print]).output;
  return existsSync(ofPlaywright) ? ofPlaywright : undefined;
}

/** The path of the end-to-end tests' browser, left in CHROMIUM_PATH too for the processes this one starts. */
export function ensureChromium() {
  const asked = process.env.CHROMIUM_PATH;
  if (asked && !existsSync(asked)) {
    fail(
      `CHROMIUM_PATH names no file: ${asked}`,
      'the path is mistyped or outdated.',
      'Correct or unset it.',
    );
  }
  const found = asked || lightest(findChromium()) || installChromium();
  process.env.CHROMIUM_PATH = found;
  return found;
}

/** On Debian the headless shell in place of a whole browser, where its package can be had. */
function lightest(found) {
  if (found !== '/usr/bin/chromium' || !isDebianRoot()) return found;
  return installDebian(['chromium-headless-shell']).ok ? findChromium() : found;
}

/** Whether this machine is a Debian, and this user may install its packages. */
export function isDebianRoot() {
  return existsSync('/etc/debian_version') && os.userInfo().uid === 0;
}

export function installDebian(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const update = run('apt-get', ['update', '-qq'], { env });
  return update.ok
    ? run('apt-get', ['install', '-yqq', '--no-install-recommends', ...packages], { env })
    : update;
}

function installChromium() {
  const byHand =
    'Install Chromium (Debian: sudo apt-get install chromium-headless-shell; elsewhere: npx playwright install chromium),' +
    '\n  or name an existing one: CHROMIUM_PATH=/path/to/chromium npm test';
  if (!isDebianRoot()) {
    fail(
      'No Chromium for the end-to-end tests.',
      'this machine has none, and only root may install it.',
      byHand,
    );
  }
  aptInstall('Chromium', 'chromium-headless-shell');
  const installed = findChromium() ?? chromiumItself();
  if (installed) return installed;
  return fail(
    'apt-get could not install Chromium.',
    'the package mirror could not be reached, or another apt-get is running.',
    byHand,
  );
}

/** Debian releases before the headless shell have the browser alone. */
function chromiumItself() {
  aptInstall('Chromium', 'chromium');
  return findChromium();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureInstalled();
