const ROW_BYTES = 16;

/** Bytes as people read them, 16 a line: where they are, as hex, and as text where they are any. */
export function hexDump(bytes: Uint8Array, mostBytes = Infinity): string {
  const shown = bytes.subarray(0, mostBytes);
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += ROW_BYTES) {
    const row = Array.from(shown.subarray(at, at + ROW_BYTES));
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0'));
    const left = hex.slice(0, 8).join(' ').padEnd(23);
    const right = hex.slice(8).join(' ').padEnd(23);
    const text = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${left}  ${right}  ${text}`);
  }
  if (shown.length < bytes.length) lines.push(`… ${bytes.length - shown.length} bytes more`);
  return lines.join('\n');
}
