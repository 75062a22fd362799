// npm run screenshot: draws the pictures of the README from the dashboard as last built.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from '@playwright/test';
import { ensureBuilt, ensureChromium, nodeBinary, root } from './setup.mjs';

const SETTLE_MS = 15_000; // sparklines, tape and depth fill up
const folder = path.join(root, 'docs/images');
const pictures = [
  { name: 'dashboard-dark', colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  { name: 'dashboard-light', colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  {
    name: 'phone-dark',
    colorScheme: 'dark',
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  },
];

ensureBuilt();
const executablePath = ensureChromium();
mkdirSync(folder, { recursive: true });
const server = spawn(
  nodeBinary(),
  ['server/bin/depthwire.js', 'serve', '--web', 'web/build', '--port', '0'],
  {
    cwd: root,
    env: { ...process.env, DEPTHWIRE_HISTORY: '{store: none}' },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
try {
  const url = await listening(server.stdout);
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  for (const { name, ...options } of pictures) {
    const page = await browser.newPage(options);
    await page.goto(`${url}/?instrument=sim:BTC-USD-PERP`);
    await page.waitForTimeout(SETTLE_MS);
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
    await page.close();
    console.log(`docs/images/${name}.png`);
  }
  await browser.close();
} finally {
  server.kill('SIGTERM');
}

async function listening(stdout) {
  for await (const line of createInterface(stdout)) {
    const entry = JSON.parse(line);
    if (entry.msg === 'listening') return entry.url;
  }
  throw new Error('the server ended before it listened');
}
