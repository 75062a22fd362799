import { codecs, DepthwireClient, type OpenWebSocket } from '@depthwire/shared';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { serve as start } from '../../test/server.ts';
import { createKey, secretPrefix } from '../access/keys.ts';
import { instrument, deskKey, keyed, tokens } from '../../test/guarded.ts';

// From outside: what docs/security.md says, against a real server.

describe('the SDK', () => {
  const openWebSocket: OpenWebSocket = (url, protocols) =>
    new WebSocket(url, protocols) as unknown as ReturnType<OpenWebSocket>;
  const backoff = { baseMs: 20, maxMs: 50 };

  test('says who it is, and again before that expires', async () => {
    const { jwt, sign } = await tokens();
    const { ws, feed } = await start(keyed({ jwt }));
    const token = vi.fn(() => sign({ exp: Math.floor(Date.now() / 1000) + 2 }));
    const client = new DepthwireClient({ url: ws, token, openWebSocket, backoff });
    onTestFinished(() => client.close());
    const errors: string[] = [];
    client.on('error', ({ code, message }) => errors.push(`${code}: ${message}`));
    const book = client.book(instrument, { cadenceMs: 0 });
    client.connect();
    await vi.waitFor(() => expect(book.state).toBe('live'));
    expect(client.principal).toBe('jwt:alice');
    await vi.waitFor(() => expect(token.mock.calls.length).toBeGreaterThan(2), { timeout: 10_000 });
    feed.delta([100, 8], []);
    await vi.waitFor(() => expect(book.book.bids.lotsAt(0)).toBe(8));
    expect(errors).toEqual([]);
  }, 20_000);

  test('shows its traffic without the token', async () => {
    const { ws } = await start(keyed());
    for (const encoding of ['json', 'msgpack'] as const) {
      const client = new DepthwireClient({ url: ws, encoding, token: deskKey, openWebSocket, backoff });
      onTestFinished(() => client.close());
      const sent: unknown[] = [];
      client.on('frame', ({ direction, data }) => {
        if (direction === 'out') sent.push(codecs[encoding].decode(data));
      });
      client.connect();
      await vi.waitFor(() => expect(client.principal).toBe('key:desk'));
      expect(sent[0]).toEqual({ op: 'authenticate', id: expect.any(Number) as number, token: '…' });
    }
  });

  test('says what is wrong where it has no token or a wrong one, and stops asking', async () => {
    const { ws } = await start(keyed());
    for (const [token, message] of [
      [undefined, 'the server wants a key or token: hand it in as `token`'],
      [createKey(secretPrefix), 'token: no such key'],
    ] as const) {
      const client = new DepthwireClient({ url: ws, token, openWebSocket, backoff });
      const [error] = await new Promise<[{ code: string; message: string }]>((resolve) => {
        client.on('error', (thrown) => resolve([thrown]));
        client.connect();
      });
      expect(error).toMatchObject({ code: 'unauthenticated', message });
      expect(client.state).toBe('closed');
    }
  });

  test('comes back with a fresh token where one was refused', async () => {
    const { ws } = await start(keyed());
    const token = vi
      .fn()
      .mockRejectedValueOnce(new Error('login first'))
      .mockReturnValueOnce('dw_sk_old')
      .mockReturnValue(deskKey);
    const client = new DepthwireClient({ url: ws, token: token as () => string, openWebSocket, backoff });
    onTestFinished(() => client.close());
    const errors: string[] = [];
    client.on('error', ({ message }) => errors.push(message));
    client.connect();
    await vi.waitFor(() => expect(client.state).toBe('open'), { timeout: 5_000 });
    expect(errors).toEqual(['no token: login first', 'token: no such key']);
    expect(client.principal).toBe('key:desk');
  });
});
