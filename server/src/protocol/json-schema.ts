import { z } from 'zod';

/** Of a schema whose words are not all that there can be. */
export const anOpenSet = { isOpenSet: true } as const;

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
  if (jsonSchema.isOpenSet === true) openUp(jsonSchema);
  if (zodSchema instanceof z.ZodDefault) jsonSchema.default = zodSchema.def.defaultValue;
}

/**
 * The words known now, or any other text: plain JSON Schema, so every validator takes it, and generators of code know
 * the pattern (they make a union or a plain string of it), which they do not of `x-` keywords.
 */
function openUp(jsonSchema: z.core.JSONSchema.BaseSchema): void {
  const { type, enum: words } = jsonSchema;
  delete jsonSchema.isOpenSet;
  delete jsonSchema.type;
  delete jsonSchema.enum;
  jsonSchema.anyOf = [{ type, enum: words }, { type }];
}
