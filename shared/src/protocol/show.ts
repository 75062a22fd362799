/** A value that was not expected, for the message of an error: short, and never a throw. */
export function show(value: unknown): string {
  const text =
    typeof value === 'string'
      ? JSON.stringify(value.slice(0, 60))
      : typeof value !== 'object' || value === null
        ? String(value)
        : Array.isArray(value)
          ? 'a list'
          : 'a map';
  return text.slice(0, 64);
}
