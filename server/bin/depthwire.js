#!/usr/bin/env node
// Runs the command line on a Node that reads TypeScript by itself; an older one started us only
// because it is the one on PATH.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule from 'node:module'; // by its names it cannot be imported where an older Node lacks one
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  // A signal that comes while the code still loads is kept for the command. One that the command does
  // not listen for then does what it does by itself: it ends the process.
  const early = new Set();
  let isLoaded = false;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, function keep() {
      if (!isLoaded) early.add(signal);
      else if (process.listenerCount(signal) === 1) {
        process.off(signal, keep);
        process.kill(process.pid, signal);
      }
    });
  }
  // What is compiled and stripped of its types once is not again at the next start. A folder of our own, and not
  // the system's, which others may write to; where this user may not write, nothing is kept.
  if (!process.env.NODE_COMPILE_CACHE)
    nodeModule.enableCompileCache(
      fileURLToPath(new URL('../../node_modules/.cache/depthwire', import.meta.url)),
    );
  const { main } = await import('../src/cli/main.ts');
  const ended = main(process.argv.slice(2));
  isLoaded = true;
  for (const signal of early) process.emit(signal, signal);
  process.exitCode = await ended;
} else {
  const pinned = ['../../node_modules/.bin/node', '../node_modules/.bin/node']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (!pinned) {
    console.error(
      `depthwire needs Node 22.18 or newer, this is ${process.versions.node}: install Node 24 from https://nodejs.org`,
    );
    process.exit(2);
  }
  const child = spawn(pinned, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const sentByTerminal = signal === 'SIGINT' && process.stdin.isTTY; // then the child has it already
      if (!sentByTerminal) child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
