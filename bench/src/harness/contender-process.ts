// Runs one contender; see contender.ts.
import type { Contender, CreateContender, FromContender, ToContender } from './contender.ts';

let contender: Contender | null = null;

process.on('message', (message: ToContender) => {
  handle(message).catch((error: unknown) => {
    answer({
      type: 'failed',
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  });
});
process.on('disconnect', () => process.exit());

async function handle(message: ToContender): Promise<void> {
  switch (message.type) {
    case 'create': {
      const { contenders } = (await import(message.module)) as {
        contenders: Record<string, CreateContender>;
      };
      contender = await contenders[message.name]!(message.options);
      answer({ type: 'ready' });
      return;
    }
    case 'round': {
      // No whole collection before what counts: it clears the shapes of objects of which none is alive just
      // then, and the code that was compiled for them, so that a round would measure the compiler.
      await globalThis.gc?.({ type: message.isWarmUp ? 'major' : 'minor', execution: 'async' });
      const before = process.cpuUsage();
      const { units, cpuUs, check, figures } = await contender!.round();
      const { user, system } = process.cpuUsage(before);
      answer({
        type: 'result',
        result: { units, cpuUs: cpuUs ?? user + system, check: check ?? null, figures: figures ?? {} },
      });
      return;
    }
  }
}

function answer(message: FromContender): void {
  process.send!(message);
}
