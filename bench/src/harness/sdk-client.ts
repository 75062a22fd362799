import { DepthwireClient, subprotocols, type ClientOptions, type WebSocketLike } from '@depthwire/shared';
import { WebSocket } from 'ws';

/** The client of the SDK on sockets of `ws`, of which it tells. */
export function sdkClient(
  url: string,
  onSocket: (socket: WebSocket) => void = () => undefined,
  options: Pick<ClientOptions, 'backoff'> = {},
) {
  return new DepthwireClient({
    ...options,
    url,
    openWebSocket: (address) => {
      const socket = new WebSocket(address, [subprotocols.msgpack], { perMessageDeflate: false });
      onSocket(socket);
      // the peers' `ws` may be another release than the one whose types are here
      return socket as unknown as WebSocketLike;
    },
  });
}
