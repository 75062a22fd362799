import type { EpochMs } from '@depthwire/shared';

/** Hears what goes over one socket, as it is. */
export interface SocketTap {
  sent(text: string, timeMs: EpochMs): void;
  received(text: string, timeMs: EpochMs): void;
  closed(): void;
}

/** Hears everything that a feed sends and receives; a recorder is one. */
export interface WireTap {
  /** A socket has opened. */
  opened(url: string, timeMs: EpochMs): SocketTap;
  /** An HTTP request was answered with status 200. */
  answered(url: string, body: string, timeMs: EpochMs): void;
}
