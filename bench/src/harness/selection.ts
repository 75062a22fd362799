/**
 * Which parts of a benchmark an environment variable names, `together,mixed`; all where it is not set.
 * @throws Error where it names none of them, or one that there is not
 */
export function selected(variable: string, names: readonly string[]): readonly string[] {
  const text = process.env[variable];
  if (text === undefined) return names;
  const wanted = text.split(',').map((name) => name.trim());
  const wrong = wanted.find((name) => !names.includes(name));
  if (wrong !== undefined)
    throw new Error(`${variable}: expected some of ${names.join(', ')}, got ${JSON.stringify(wrong)}`);
  return wanted;
}
