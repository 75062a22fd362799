import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** How long a service may take until it listens, and how often it is tried. */
const START_TIMEOUT_MS = 30_000;
const TRY_PERIOD_MS = 20;

/** What it said, for the error; a server that is killed often writes much. */
const MAX_SAID = 20_000;

/** A program that serves on a port of this machine. It can be ended and started again on the same port. */
export class ServiceProcess {
  readonly #start: {
    readonly file: string;
    readonly args: readonly string[];
    readonly options: SpawnOptions;
  };
  readonly #port: number;
  readonly #ready: string;
  #child: ChildProcess | null = null;
  #said = '';

  /** @param ready what it says once it serves; nothing where it serves as soon as it listens */
  constructor(port: number, file: string, args: readonly string[], options: SpawnOptions = {}, ready = '') {
    this.#port = port;
    this.#ready = ready;
    this.#start = { file, args, options };
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * @param ready where it is to say something else this time
   * @throws Error where it ends before it listens
   */
  async start(ready = this.#ready): Promise<void> {
    const { file, args, options } = this.#start;
    this.#said = '';
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (text) => (this.#said = (this.#said + String(text)).slice(-MAX_SAID)));
    for (let triedMs = 0; ; triedMs += TRY_PERIOD_MS) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${file} ended: ${this.#said}`);
      if (this.#said.includes(ready) && (await this.#isListening())) return;
      if (triedMs > START_TIMEOUT_MS) throw new Error(`${file} does not listen: ${this.#said}`);
      await setTimeout(TRY_PERIOD_MS);
    }
  }

  /** Sends a signal and waits for the end; nothing where it has ended already. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async #isListening(): Promise<boolean> {
    const socket = connect(this.#port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}
