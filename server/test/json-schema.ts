import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export interface CheckerOptions {
  /** Of OpenAPI 3.1 and of AsyncAPI 3.0. Default: the first. */
  readonly draft?: '2020-12' | '7';
  /**
   * Keys that the document does not tell are wrong, and so are words that its open sets do not list. It is open to those
   * to come, but this version has none. Default: true.
   */
  readonly isClosed?: boolean;
}

/** For a document whose schemas point into it: tells what is wrong with a value by the schema at a path in it. */
export function documentChecker(
  document: object,
  { draft = '2020-12', isClosed = true }: CheckerOptions = {},
) {
  const options = { strict: false, allErrors: true, unicodeRegExp: false };
  const ajv = addFormats.default(draft === '7' ? new Ajv(options) : new Ajv2020(options));
  // `id` is AsyncAPI's own, and not that of a schema.
  const { id: _id, ...rest } = document as { id?: string };
  ajv.addSchema({ ...((isClosed ? closed(rest) : rest) as AnySchemaObject), $id: 'document' });
  const compiled = new Map<string, ValidateFunction>();
  return (path: readonly string[], value: unknown): string[] => {
    const parts = path.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
    const $ref = `document#/${parts.join('/')}`;
    const validate = compiled.get($ref) ?? ajv.compile({ $ref });
    compiled.set($ref, validate);
    if (validate(value)) return [];
    return validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const [known, any, ...more] = (node as { anyOf?: { type?: unknown; enum?: unknown }[] }).anyOf ?? [];
  const isOpenSet = known?.enum !== undefined && known.type === any?.type && more.length === 0;
  if (isOpenSet) return known;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  const isObject = copy.type === 'object' && typeof copy.properties === 'object';
  return isObject ? { additionalProperties: false, ...copy } : copy;
}
