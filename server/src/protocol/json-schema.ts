import { z } from 'zod';

interface Converted {
  readonly zodSchema: z.core.$ZodType;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}

/**
 * Schemas as others read them: without the bounds that every integer has which a JSON number holds exactly,
 * open to the keys that a later version may add, and with the defaults of what is read from text, which zod
 * leaves out.
 */
export function forReaders({ zodSchema, jsonSchema }: Converted): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  if (zodSchema instanceof z.ZodDefault) jsonSchema.default = zodSchema.def.defaultValue;
}
