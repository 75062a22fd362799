// npm start: install and build what is missing, then serve. Arguments go to `depthwire serve`.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { ensureBuilt, ensureInstalled, nodeBinary, root } from './setup.mjs';

ensureInstalled();
ensureBuilt();

const command = [path.join(root, 'server/bin/depthwire.js'), 'serve', '--web', path.join(root, 'web/build')];
const server = spawn(nodeBinary(), [...command, ...process.argv.slice(2)], {
  cwd: process.env.INIT_CWD ?? process.cwd(), // relative paths mean the folder npm was run in
  stdio: 'inherit',
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    const sentByTerminal = signal === 'SIGINT' && process.stdin.isTTY; // then the server has it already
    if (!sentByTerminal) server.kill(signal);
  });
}

// Ended by a signal, npm takes its shell with it but not what the shell started, which is this.
if (process.env.npm_lifecycle_event) {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && server.kill('SIGTERM'), 200).unref();
}

server.on('exit', (code, signal) => process.exit(code ?? 128 + os.constants.signals[signal]));
