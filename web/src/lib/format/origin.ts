import type { Origin } from '@depthwire/shared';

/** What it means for a reader that data is not simply live; null where it is. */
export function explainOrigin(origin: Origin): string | null {
  switch (origin) {
    case 'live':
      return null;
    case 'bridged':
      return 'bridged data: a library’s copy of the venue’s book, compared from update to update; the venue’s sequence and checksums are not checked here';
    default:
      return `${origin} data`;
  }
}
