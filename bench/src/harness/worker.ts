import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** What a process can be asked for, by name; each takes one argument. */
export type Methods = Record<string, (argument: never) => unknown>;

interface Question {
  readonly method: string;
  readonly argument: unknown;
}

type Answer = { readonly result: unknown } | { readonly failure: string };

const ANSWER_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 3_000;

/** A process that answers one question at a time. */
export class Worker<Api extends Methods> {
  readonly #child: ChildProcess;
  readonly #title: string;
  #last: Promise<unknown> = Promise.resolve();
  #isStopping = false;

  /** @param command arguments of Node: the module, or more; what it runs calls `answerParent` */
  constructor(title: string, command: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#title = title;
    this.#child = spawn(process.execPath, ['--no-warnings', ...command], {
      env: { ...process.env, ...env },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  ask<Name extends keyof Api & string>(
    method: Name,
    ...[argument]: Parameters<Api[Name]>
  ): Promise<Awaited<ReturnType<Api[Name]>>> {
    const answer = this.#last.then(() => this.#ask({ method, argument }));
    this.#last = answer.catch(() => undefined);
    return answer as Promise<Awaited<ReturnType<Api[Name]>>>;
  }

  async stop(): Promise<void> {
    if (this.#isStopping || this.#isGone) return;
    this.#isStopping = true;
    const overdue = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    await this.end('SIGTERM');
    clearTimeout(overdue);
  }

  /** @returns the exit code of the process; null where the signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (!this.#isGone) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  }

  get #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #ask(question: Question): Promise<unknown> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        act();
      };
      const fail = (reason: string) => settle(() => reject(new Error(`${this.#title}: ${reason}`)));
      const onMessage = (answer: Answer) => {
        if ('failure' in answer) fail(answer.failure);
        else settle(() => resolve(answer.result));
      };
      const onExit = (code: number | null) => fail(`ended with ${code}`);
      const timer = setTimeout(
        () => fail(`no answer to ${question.method} in ${ANSWER_LIMIT_MS / 1000} s`),
        ANSWER_LIMIT_MS,
      );
      if (this.#isGone) onExit(child.exitCode);
      else child.on('message', onMessage).on('exit', onExit).send(question);
    });
  }
}

/** Answers what the parent asks; the process ends with the parent. */
export function answerParent(methods: Methods): void {
  process.on('message', ({ method, argument }: Question) => {
    const run = async () => methods[method]!(argument as never);
    run().then(
      (result) => tell({ result }),
      (error: unknown) => tell({ failure: error instanceof Error ? error.stack! : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
}

function tell(answer: Answer): void {
  if (process.connected) process.send!(answer, undefined, {}, () => undefined);
}
