import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DepthwireError } from '@depthwire/shared';
import type { Command } from 'commander';
import { feedNames } from '../config/feeds.ts';
import { exitCodes, type Done } from './exit-codes.ts';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
/** A complete adapter that is tested as it stands; only its name is another afterwards. */
const template = join(checkout, 'examples', 'venue');
const TEMPLATE_FILES = [
  'README.md',
  'package.json',
  'tsconfig.json',
  'depthwire.yaml',
  'index.ts',
  'emulator.ts',
  'index.test.ts',
];
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MAX_NAME_CHARS = 32;

interface NewFeedFlags {
  readonly dir?: string;
}

export function addNewFeed(program: Command, done: Done): void {
  program
    .command('new-feed')
    .description('Write a working feed for a venue, with an emulator and its tests, to begin from.')
    .argument('<name>', 'of the venue: small letters, digits and dashes, such as my-venue')
    .option('--dir <folder>', 'where its folder is made (default: here)')
    .action((name: string, flags: NewFeedFlags) => {
      process.stdout.write(newFeed(name, resolve(flags.dir ?? '.')));
      done(exitCodes.ok);
    });
}

/** @throws DepthwireError `invalid_argument` */
function newFeed(name: string, parent: string): string {
  if (!NAME.test(name) || name.length > MAX_NAME_CHARS) {
    throw new DepthwireError(
      'invalid_argument',
      `name: expected up to ${MAX_NAME_CHARS} small letters, digits and dashes, such as my-venue, got ${name}`,
    );
  }
  if (feedNames.includes(name))
    throw new DepthwireError('invalid_argument', `name: ${name} is a feed already; choose another`);
  const folder = join(parent, name);
  if (existsSync(folder)) {
    throw new DepthwireError(
      'invalid_argument',
      `${folder} exists: choose another name or --dir; nothing is overwritten`,
    );
  }
  if (!existsSync(template))
    throw new DepthwireError('not_found', `${template} is missing: new-feed needs a complete checkout`);
  mkdirSync(folder, { recursive: true });
  for (const file of TEMPLATE_FILES) {
    const text = readFileSync(join(template, file), 'utf8');
    writeFileSync(join(folder, file), renamed(text, name));
  }
  const isLinked = link(folder);
  const shown = relative(process.cwd(), folder) || '.';
  return `${shown} has a feed, an emulator of its venue, and tests${isLinked ? ', with @depthwire linked to this checkout' : ''}. Next:
  cd ${shown}
  npm test            runs the conformance suite
  npm run emulator    runs the venue on this machine
  npm run serve       serves the feed (another terminal)
README.md there tells how to make it the feed of a real venue.
`;
}

function renamed(text: string, name: string): string {
  const pascal = name.replace(/(?:^|-)(.)/g, (_all, letter: string) => letter.toUpperCase());
  return text.replaceAll('example', name).replaceAll('Example', pascal);
}

/**
 * Outside the checkout nothing would find `@depthwire` and the commands: they are linked, not copied,
 * because Node runs no TypeScript that lies in node_modules.
 */
function link(folder: string): boolean {
  try {
    createRequire(join(folder, 'index.ts')).resolve('@depthwire/feeds');
    return false;
  } catch {
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, '@depthwire'), { recursive: true });
    for (const name of ['shared', 'feeds', 'server'])
      symlinkSync(join(checkout, name), join(modules, '@depthwire', name), 'junction');
    const bin = join(checkout, 'node_modules', '.bin');
    mkdirSync(join(modules, '.bin'));
    for (const file of readdirSync(bin).filter((entry) => /^(depthwire|node)(\.|$)/.test(entry))) {
      if (process.platform === 'win32') cpSync(join(bin, file), join(modules, '.bin', file));
      else symlinkSync(join(bin, file), join(modules, '.bin', file));
    }
    return true;
  }
}
