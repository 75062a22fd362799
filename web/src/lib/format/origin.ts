import type { Origin } from '@depthwire/shared';
import { m } from '../paraglide/messages.js';

/** What it means for a reader that data is not simply live; null where it is. */
export function explainOrigin(origin: Origin): string | null {
  switch (origin) {
    case 'live':
      return null;
    case 'bridged':
      return m.origin_bridged_about();
    case 'delayed':
      return m.origin_delayed_about();
    case 'simulated':
      return m.origin_simulated_about();
    case 'replayed':
      return m.origin_replayed_about();
  }
}
