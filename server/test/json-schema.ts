import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AnySchemaObject } from 'ajv';
import addFormats from 'ajv-formats';

type Json = Record<string, unknown>;

/** Of a document whose schemas point into it: what a value has that the schema at a place in it does not allow. */
export function documentChecker(document: object) {
  const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
  ajv.addSchema({ ...(closed(document) as AnySchemaObject), $id: 'document' });
  /** @param path of the schema in the document */
  return (path: readonly string[], value: unknown): string[] => {
    const pointer = path.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
    const validate = ajv.compile({ $ref: `document#/${encodeURI(pointer).replaceAll('%25', '%')}` });
    return validate(value)
      ? []
      : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

/** The document is open to keys to come; the answers of this version have none but those it tells. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node as Json).map(([key, value]) => [key, closed(value)]));
  const isObject = copy.type === 'object' && typeof copy.properties === 'object';
  return isObject ? { additionalProperties: false, ...copy } : copy;
}
