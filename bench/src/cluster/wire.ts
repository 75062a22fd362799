// A stretch of network between a process and a server, which can be cut.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Passes TCP connections on, and counts their bytes. */
export class Wire {
  readonly port: number;
  /** To the server, and from it. */
  bytesUp = 0;
  bytesDown = 0;
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [near: Socket, far: Socket]>();
  #is: 'whole' | 'frozen' | 'refusing' = 'whole';

  static async to(targetPort: number): Promise<Wire> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Wire(server, targetPort);
  }

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (near) => this.#pass(near));
  }

  /** Nothing goes through any more, and nobody is told: a cable is out. */
  freeze(): void {
    this.#is = 'frozen';
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** All connections are reset, and new ones too. */
  refuse(): void {
    this.#is = 'refusing';
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** What was held goes on its way. */
  mend(): void {
    this.#is = 'whole';
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(near: Socket): void {
    near.on('error', () => undefined);
    if (this.#is === 'refusing') {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.#targetPort, '127.0.0.1').on('error', () => undefined);
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const socket of pair) socket.setNoDelay(true);
    this.#carry(near, far, (bytes) => (this.bytesUp += bytes));
    this.#carry(far, near, (bytes) => (this.bytesDown += bytes));
    for (const socket of pair)
      socket.on('close', () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    if (this.#is === 'frozen') for (const socket of pair) socket.pause();
  }

  #carry(from: Socket, to: Socket, count: (bytes: number) => void): void {
    from.on('data', (data) => {
      count(data.length);
      if (to.write(data)) return;
      from.pause();
      to.once('drain', () => {
        if (this.#is === 'whole') from.resume();
      });
    });
    from.on('end', () => to.end());
  }
}
