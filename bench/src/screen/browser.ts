/** The scripts that get a checkout ready to run, which are plain JavaScript. */
interface Setup {
  ensureBuilt(): void;
  ensureChromium(): string;
}

export const chromiumFlags = [
  '--no-sandbox', // Chromium refuses to sandbox for root
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
] as const;

/** Builds the dashboard where it is not, and finds Chromium; returns where that is. */
export async function prepareScreen(): Promise<string> {
  const setup = (await import(new URL('../../../scripts/setup.mjs', import.meta.url).href)) as Setup;
  setup.ensureBuilt();
  return setup.ensureChromium();
}
