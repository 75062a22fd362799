import { LineCounter, parseDocument } from 'yaml';

/**
 * @throws Error that says where the text is no YAML, and repeats nothing of it: a line of a configuration may hold
 * a secret
 */
export function readYaml(text: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new Error(`line ${line}, column ${col}: ${withoutText(error.message)}`);
  }
  try {
    return document.toJS();
  } catch (aliasError) {
    // eslint-disable-next-line preserve-caught-error -- it says what stands there
    throw new Error(withoutText((aliasError as Error).message));
  }
}

/** What follows the first colon is what stands there. */
function withoutText(message: string): string {
  return message.split(':', 1)[0]!;
}
