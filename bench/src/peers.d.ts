// What the benchmarks use of the peers, which are not installed where the types are checked.

declare module 'socket.io' {
  import type { Server as HttpServer } from 'node:http';

  export class Server {
    constructor(server: HttpServer, options: object);
    on(event: 'connection', handler: (socket: ServerSocket) => void): this;
    to(room: string): { emit(event: string, data: Uint8Array): boolean };
    close(): Promise<void>;
  }

  export interface ServerSocket {
    join(rooms: string[]): Promise<void> | void;
    emit(event: string, data: Uint8Array): boolean;
  }
}
