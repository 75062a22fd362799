import { DepthwireError, isErrorCode, type ErrorDetails } from '@depthwire/shared';

const MAX_CHARS = 1_000;
const MAX_STACK_CHARS = 4_000;
const MAX_DETAILS = 20;

/**
 * Any thrown value, be it made to make trouble, as a typed error of plain data: each part of it is read
 * once and here, so that whoever reads the result cannot meet a getter that throws.
 */
export function typedError(error: unknown): DepthwireError {
  try {
    if (error instanceof DepthwireError) {
      const { code, message, details } = error as { code: unknown; message: unknown; details: unknown };
      if (isErrorCode(code)) return new DepthwireError(code, cut(message), plainDetails(details));
      return failed(typeof code === 'string' ? cut(`${code}: ${cut(message)}`) : cut(message));
    }
    if (!(error instanceof Error)) return failed(cut(`it threw ${String(error)}`));
    return failed(cut(`${error.name}: ${error.message}`));
  } catch {
    return failed('it threw what cannot be shown');
  }
}

/** Where it was thrown; null where that cannot be told. */
export function stackOf(error: unknown): string | null {
  try {
    const { stack } = error as { stack?: unknown };
    return typeof stack === 'string' ? stack.slice(0, MAX_STACK_CHARS) : null;
  } catch {
    return null;
  }
}

const failed = (message: string) => new DepthwireError('feed_failed', message);
const cut = (text: unknown) => String(text).slice(0, MAX_CHARS);

function plainDetails(details: unknown): ErrorDetails {
  const plain: Record<string, string | number | boolean | null> = {};
  for (const key of Object.keys(details ?? {}).slice(0, MAX_DETAILS)) {
    const value = (details as Record<string, unknown>)[key];
    if (typeof value === 'string') plain[key] = value.slice(0, MAX_CHARS);
    else if (typeof value === 'number' || typeof value === 'boolean' || value === null) plain[key] = value;
  }
  return plain;
}
