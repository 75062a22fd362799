import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';

/** What never stands in a log, wherever somebody may hand it in. */
const secretKeys = ['authorization', 'cookie', 'set-cookie', 'x-api-key', 'token', 'apiKey', 'secret'].map(
  (key) => `["${key}"]`,
);
/** At the top of a line, and as far down as in `{ req: { headers } }`. */
const places = ['', '*', '*.*'];

/** JSON lines for machines; readable ones for a person at a terminal. */
export function createLogger(level: string, to?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: undefined,
    redact: {
      paths: places.flatMap((place) => secretKeys.map((key) => `${place}${key}`)),
      censor: '[secret]',
    },
    serializers: {
      err: pino.stdSerializers.err,
      // A query may hold a token: browsers can give one to a WebSocket in no other way.
      req: pino.stdSerializers.wrapRequestSerializer(({ method, url, remoteAddress }) => ({
        ...{ method, path: url.split('?', 1)[0], remoteAddress },
      })),
    },
  };
  if (to) return pino(options, to);
  return process.stdout.isTTY
    ? pino(options, pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' }))
    : pino(options);
}
