import { createHash } from 'node:crypto';
import type { Contender, CreateContender } from '../harness/contender.ts';
import type { TraceOptions } from '../harness/trace.ts';
import { forms, type Form } from './forms.ts';
import { streamOf, type Update } from './messages.ts';

export interface WireOptions {
  readonly trace: TraceOptions;
  readonly work: 'encode' | 'decode';
  /** How often a round goes through all messages. */
  readonly passes: number;
}

function contender(form: Form): CreateContender {
  return (given): Contender => {
    const { trace, work, passes } = given as WireOptions;
    const { reference, updates } = streamOf(trace);
    const encodeAll = (keep: (Uint8Array | string)[] | null) => {
      let length = 0;
      for (let i = 0; i < updates.length; i++) {
        const wire = form.encode(updates[i]!, reference, i + 1);
        length += wire.length;
        keep?.push(wire);
      }
      return length;
    };
    const messages: (Uint8Array | string)[] = [];
    const bytes = encodeAll(messages);
    // As they come from a socket: a text in one piece, bytes in memory of their own.
    const received = messages.map((wire) =>
      typeof wire === 'string' ? Buffer.from(wire).toString('latin1') : Uint8Array.from(wire),
    );
    const once =
      work === 'encode'
        ? () => encodeAll(null)
        : () => {
            let length = 0;
            for (const wire of received) {
              const { bids, asks } = form.decode(wire, reference);
              length += bids.length + asks.length;
            }
            return length;
          };
    const expected = work === 'encode' ? bytes : countNumbers(updates);
    const check = hashOf(received.map((wire) => form.decode(wire, reference)));
    if (check !== hashOf(updates)) throw new Error('what was decoded is not what was encoded');
    return {
      round() {
        const before = process.cpuUsage();
        for (let pass = 0; pass < passes; pass++)
          if (once() !== expected) throw new Error('a pass came to another length');
        const { user, system } = process.cpuUsage(before);
        return { units: updates.length * passes, cpuUs: user + system, check };
      },
    };
  };
}

function countNumbers(updates: readonly Update[]): number {
  return updates.reduce((sum, { bids, asks }) => sum + bids.length + asks.length, 0);
}

function hashOf(updates: readonly Update[]): string {
  const hash = createHash('sha256');
  for (const { bids, asks } of updates) hash.update(`${bids.join()} ${asks.join()}\n`);
  return hash.digest('hex');
}

export const contenders: Record<string, CreateContender> = Object.fromEntries(
  Object.entries(forms).map(([name, form]) => [name, contender(form as Form)]),
);
