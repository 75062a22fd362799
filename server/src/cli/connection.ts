import { DepthwireClient, DepthwireError, type ClientOptions, type OpenWebSocket } from '@depthwire/shared';
import { WebSocket } from 'ws';

/** A client of a command, and why its connection fails in words for the person at the terminal. */
export interface CommandClient {
  readonly client: DepthwireClient;
  /** The same error, with the cause and the cure where the connection failed. */
  explain(error: DepthwireError): DepthwireError;
}

/** Not an option: arguments are for everybody on the machine to see. */
const KEY_VARIABLE = 'DEPTHWIRE_KEY';

/** Headers of a request to a server that may want a key. */
export function keyHeaders(): Record<string, string> {
  const key = process.env[KEY_VARIABLE];
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** @param option the option that names the server */
export function commandClient(options: Omit<ClientOptions, 'openWebSocket'>, option: string): CommandClient {
  // Node's own WebSocket hides why a connection failed; `ws` says it, and the client does not ask.
  let failure: string | null = null;
  const openWebSocket: OpenWebSocket = (address, protocols) => {
    failure = null;
    const socket = new WebSocket(address, protocols, { perMessageDeflate: false });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.message || (error.code ?? null);
    });
    return socket as unknown as ReturnType<OpenWebSocket>;
  };
  const token = process.env[KEY_VARIABLE] || undefined;
  const client = new DepthwireClient({ token, ...options, openWebSocket });
  let hasConnected = false;
  client.on('state', (state) => {
    if (state === 'open') hasConnected = true;
  });
  const { url } = options;
  return {
    client,
    explain(error) {
      if (error.code === 'unauthenticated') {
        const message = `${url} wants a key${token ? `, and does not take the one in ${KEY_VARIABLE}: ${error.message}` : `: put it into the variable ${KEY_VARIABLE}`}`;
        return new DepthwireError(error.code, message, error.details, error);
      }
      if (error.code !== 'connection_lost') return error;
      const why = failure ?? error.message;
      const message = hasConnected
        ? `connection to ${url} lost: ${why}`
        : `no server answers at ${url}: ${why}; is the server running? Start it with depthwire serve, or name another with ${option}`;
      return new DepthwireError(error.code, message, error.details, error);
    },
  };
}
