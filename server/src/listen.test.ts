import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { serve } from '../test/server.ts';

/** More than Node lets wait by itself. */
const CROWD = 900;
const ESTABLISHED = '01';

test.skipIf(mostWaiting() < CROWD)('lets a crowd wait that comes while the server is busy', async () => {
  const { ws } = await serve();
  const port = Number(new URL(ws).port);
  const sockets = Array.from({ length: CROWD }, () =>
    connect(port, '127.0.0.1').on('error', () => undefined),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  // Now they connect. The server is in this thread too, and takes nobody before the loop goes on.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  expect(connectedTo(port)).toBe(CROWD);
});

/** Sockets of this machine that the kernel has connected to a port, whether the server has taken them or not. */
function connectedTo(port: number): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , to, state]) => to?.endsWith(remote) && state === ESTABLISHED).length;
}

function mostWaiting(): number {
  try {
    return Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  } catch {
    return 0; // another system: it cannot be seen there
  }
}
