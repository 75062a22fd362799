import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

/** JSON lines for machines; readable ones for a person at a terminal. */
export function createLogger(level: string): Logger {
  const options = { level, base: undefined };
  return process.stdout.isTTY
    ? pino(options, pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' }))
    : pino(options);
}
