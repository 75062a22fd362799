import ipaddr from 'ipaddr.js';
import { z } from 'zod';

// Building blocks of the configuration. Each has one message for whatever is wrong: what it expects.

export function wholeNumber(min: number, max: number, example: number) {
  const error = `expected a whole number from ${min} to ${max}, such as ${example}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function trueOrFalse() {
  return z.boolean({ error: 'expected true or false' });
}

/** @param what the text is, with an example: `a symbol such as BTC-USDT` */
export function text(what: string) {
  const error = `expected ${what}`;
  return z.string({ error }).min(1, { error });
}

export function textLike(pattern: RegExp, what: string) {
  const error = `expected ${what}`;
  return z.string({ error }).regex(pattern, { error });
}

export function oneOf<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, { error: `expected ${either(values)}` });
}

/** At least one item. */
export function list<Item extends z.ZodType>(item: Item, what: string) {
  const error = `expected a list of at least one ${what}`;
  return z.array(item, { error }).min(1, { error });
}

/** Keys that are all known. */
export function keys<Shape extends z.ZodRawShape>(shape: Shape, example: string) {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys'
        ? `unknown key; remove it or correct its name, there are: ${known}`
        : `expected keys and values, such as ${example}`,
  });
}

export function url(protocols: readonly string[], example: string) {
  const error = `expected a URL such as ${example}, without a slash at the end`;
  const schemes = either(protocols.map((protocol) => `${protocol}//`));
  const isOfThem = (value: string) => protocols.includes(URL.parse(value)?.protocol ?? '');
  return z.string({ error }).refine((value) => isOfThem(value) && !value.endsWith('/'), {
    error: ({ input }) =>
      isOfThem(String(input)) ? error : `expected a URL that begins with ${schemes}, such as ${example}`,
  });
}

/** Exactly as a browser sends it: scheme, host, and the port where it is not the usual one; or `*`, for any. */
export function origin(example: string, { mayBeAny = false } = {}) {
  return z
    .string({ error: `expected an origin such as ${example}` })
    .refine((value) => (mayBeAny && value === '*') || (originOf(value) === value && !value.includes('*')), {
      error: ({ input }) => {
        const meant = originOf(String(input));
        return meant === null || meant.includes('*')
          ? `expected an origin such as ${example}`
          : `expected an origin, which ends with the host or port: write ${meant}`;
      },
    });
}

/** An address, or a network such as 10.0.0.0/8. */
export const network = z
  .string({ error: 'expected an address or network, such as 10.0.0.0/8' })
  .refine((value) => ipaddr.isValid(value) || (ipaddr.isValidCIDR(value) && !value.endsWith('/0')), {
    error: 'expected an address or network, such as 10.0.0.0/8',
  });

function originOf(value: string): string | null {
  const parsed = URL.parse(value);
  return parsed && ['http:', 'https:'].includes(parsed.protocol) ? parsed.origin : null;
}

/** `spot or usdm` */
export function either(values: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(values);
}
