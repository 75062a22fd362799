import { isMet, type BenchResult, type Goal, type Table } from './bench.ts';

/** The tables and goals of a result, as text. */
export function report(result: BenchResult): string {
  const { tables, goals, noise } = result;
  const blocks = [...tables, ...(goals.length > 0 ? [goalTable(goals)] : [])].map(renderTable);
  return `${blocks.join('\n\n')}\n\nnoise: half of the rounds lie within ${(noise * 100).toFixed(1)} % of the median\n`;
}

function goalTable(goals: readonly Goal[]): Table {
  const rows = goals.map((goal) => [
    goal.name,
    figure(goal.value),
    'atLeast' in goal.bound ? `at least ${goal.bound.atLeast}` : `at most ${goal.bound.atMost}`,
    isMet(goal) ? 'holds' : 'MISSED',
  ]);
  return { title: 'What shall hold', rows: [['', 'measured', 'goal', ''], ...rows] };
}

/** A Markdown table, aligned for a terminal too. */
function renderTable({ title, rows }: Table): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head, ...body] = rows;
  return [title, '', line(head!), rule, ...body.map(line)].join('\n');
}

/** Three significant digits, thousands set apart. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toLocaleString('en', { maximumFractionDigits: Math.min(6, digits) });
}
