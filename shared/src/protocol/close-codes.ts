/** WebSocket close codes the server uses, and whether a client should come back. */
export const closeCodes = {
  goingAway: { code: 1001, retry: true, meaning: 'The server shuts down.' },
  protocolError: { code: 1002, retry: false, meaning: 'No common subprotocol.' },
  messageTooLarge: {
    code: 1009,
    retry: false,
    meaning: 'A message of the client was larger than the server accepts.',
  },
  tryAgainLater: { code: 1013, retry: true, meaning: 'The server is full or not ready.' },
  malformed: { code: 4400, retry: false, meaning: 'Too many messages of the client could not be read.' },
  unauthenticated: {
    code: 4401,
    retry: false,
    meaning: 'The client did not say in time who it is, or its key or token has expired or was taken back.',
  },
  forbidden: {
    code: 4403,
    retry: true,
    meaning: 'The client has subscribed to more than its key or token permits by now.',
  },
  heartbeatMissed: {
    code: 4408,
    retry: true,
    meaning: 'The client was silent for longer than the heartbeat allows.',
  },
  stalled: {
    code: 4410,
    retry: true,
    meaning: 'What waits for the client was not taken for two minutes.',
  },
  idle: {
    code: 4411,
    retry: true,
    meaning: 'The client held no subscription for longer than the server allows.',
  },
  tooManyRequests: {
    code: 4429,
    retry: true,
    meaning: 'The client went on sending more requests than it may.',
  },
} as const;

/** Whether a connection that ended with this code may be opened again. */
export function shouldReconnect(code: number): boolean {
  for (const entry of Object.values(closeCodes)) if (entry.code === code) return entry.retry;
  return true;
}
