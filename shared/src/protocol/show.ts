/** A value that was not expected, for the message of an error: short, and never a throw. */
export function show(value: unknown): string {
  const text =
    typeof value === 'string'
      ? JSON.stringify(value.slice(0, 60))
      : typeof value === 'object'
        ? typeof value
        : String(value);
  return text.slice(0, 64);
}
