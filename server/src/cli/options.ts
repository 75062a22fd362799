import { DepthwireError } from '@depthwire/shared';
import { InvalidArgumentError, type Command } from 'commander';

/** Options that say what a capture is, where it does not say so itself. */
export interface SelectionFlags {
  readonly venue?: string;
  readonly market?: string;
  readonly symbols?: string[];
}

export function addSelection(command: Command): Command {
  return command
    .option('--venue <name>', 'venue of the capture (default: told from its URLs)')
    .option('--market <name>', 'market of the capture, such as spot or usdm (default: told from its URLs)')
    .option('--symbols <list>', 'venue symbols, separated by commas (default: all)', list);
}

/** Names separated by commas. */
export function list(text: string): string[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) throw new InvalidArgumentError('expected names separated by commas');
  return parts;
}

export function integer(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max || text.trim() === '') {
      throw new InvalidArgumentError(`expected an integer from ${min} to ${max}`);
    }
    return value;
  };
}

/** Where a server's stream is. */
export function streamUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !['ws:', 'wss:'].includes(url.protocol) || url.hash !== '') {
    throw new InvalidArgumentError('expected a WebSocket URL such as ws://127.0.0.1:8080/ws');
  }
  return text;
}

/** A factor of the recorded pace; `max` for as fast as it goes. */
export function speed(text: string): number {
  if (text === 'max') return Infinity;
  const value = Number(text);
  if (!(value > 0 && value <= 10_000) || text.trim() === '') {
    throw new InvalidArgumentError('expected a number above 0 and up to 10000, or max');
  }
  return value;
}

/** @throws DepthwireError `invalid_argument` */
export function assertOnly(condition: boolean, message: string): void {
  if (!condition) throw new DepthwireError('invalid_argument', message);
}
