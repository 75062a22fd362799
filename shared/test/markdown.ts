/** The rows of the n-th table below a heading of a Markdown text, cells without their code marks. */
export function tableOf(markdown: string, heading: string, n = 0): string[][] {
  const start = markdown.search(new RegExp(`^#+ ${heading}$`, 'm'));
  if (start < 0) throw new Error(`no heading ${heading}`);
  const section = markdown.slice(start).split(/^#+ /m)[1]!;
  const tables = section.split(/\n\n/).filter((block) => block.startsWith('|'));
  if (!tables[n]) throw new Error(`no table ${n} below ${heading}`);
  const rows = tables[n].trim().split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`|`$/g, '')),
  );
}

export const column = (rows: readonly string[][], index: number) => rows.map((row) => row[index]!);
