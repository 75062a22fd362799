import type { ReadProgress } from '@depthwire/feeds';
import { Presets, SingleBar } from 'cli-progress';

const MEGABYTE = 2 ** 20;

/** A bar on standard error, shown only to a person at a terminal. */
export class Progress {
  readonly #bar: SingleBar | null;
  #isStarted = false;

  constructor(label: string, isShown: boolean) {
    this.#bar =
      isShown && process.stderr.isTTY
        ? new SingleBar(
            {
              format: `${label} {bar} {percentage}% of {size} MB · {eta_formatted} left`,
              stream: process.stderr,
              clearOnComplete: true,
            },
            Presets.shades_classic,
          )
        : null;
  }

  readonly update = ({ bytesRead, bytesTotal }: ReadProgress): void => {
    if (!this.#bar) return;
    const payload = { size: (bytesTotal / MEGABYTE).toFixed(1) };
    if (this.#isStarted) {
      this.#bar.setTotal(bytesTotal);
      this.#bar.update(bytesRead, payload);
    } else {
      this.#isStarted = true;
      this.#bar.start(bytesTotal, bytesRead, payload);
    }
  };

  stop(): void {
    if (this.#isStarted) this.#bar?.stop();
  }
}
