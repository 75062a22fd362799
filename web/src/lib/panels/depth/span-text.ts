import { localDecimal, percentText } from '../../format/locale.ts';
import { m } from '../../paraglide/messages.js';

/** A span as text: basis points below 100, percent from there. */
export function formatSpan(bps: number): string {
  return bps < 100 ? m.span_bps({ span: localDecimal(trim(bps)) }) : `±${percentText(trim(bps / 100))}`;
}

const trim = (value: number) => String(Number(value.toPrecision(3)));
