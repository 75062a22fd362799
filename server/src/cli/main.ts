import { toDepthwireError } from '@depthwire/shared';
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { exitCodes } from './exit-codes.ts';
import { addInspect } from './inspect.ts';
import { addKey } from './key.ts';
import { addNewFeed } from './new-feed.ts';
import { addRecord } from './record.ts';
import { addReplay } from './replay.ts';
import { report } from './report.ts';
import { addServe } from './serve.ts';
import { addTail } from './tail.ts';
import { addVerify } from './verify.ts';

/**
 * The command line. Errors go to standard error, results to standard output.
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error; // whoever read the pipe has seen enough
  });
  const program = new Command('depthwire')
    .description('A verified order book from any feed to any screen.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText(
      'after',
      `
Exit codes:
  ${exitCodes.ok}  all went well
  ${exitCodes.failed}  it ran, and what it looked for is not right (verify), or it failed
  ${exitCodes.usage}  wrong arguments, configuration or input file`,
    );
  let exitCode: number = exitCodes.ok;
  const done = (code: number): void => {
    exitCode = code;
  };
  for (const add of [addServe, addReplay, addRecord, addVerify, addTail, addInspect, addKey, addNewFeed])
    add(program, done);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const typed = toDepthwireError(error);
    report(typed);
    if (typed.code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return typed.retry || typed.code === 'internal' ? exitCodes.failed : exitCodes.usage;
  }
}
