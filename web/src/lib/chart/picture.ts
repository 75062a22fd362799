import { m } from '../paraglide/messages.js';
import { fontOf } from './canvas-text.ts';
import type { Colours } from './colours.ts';

const TITLE_PX = 13;
const LINE_PX = 11;
const PADDING_PX = 8;

/**
 * A picture of a chart with what it shows written above it.
 * @param chart as it is drawn, in device pixels
 * @param scale device pixels of one of the page
 * @param lines the first is the title
 */
export function composePicture(
  chart: HTMLCanvasElement,
  scale: number,
  lines: readonly string[],
  colours: Colours,
): Promise<Blob> {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d')!;
  const [title = '', ...rest] = lines;
  const height = PADDING_PX * 2 + TITLE_PX + rest.length * (LINE_PX + 5);
  canvas.width = chart.width;
  canvas.height = chart.height + Math.round(height * scale);
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(chart, 0, Math.round(height * scale));
  context.scale(scale, scale);
  context.textBaseline = 'top';
  context.fillStyle = colours.text;
  context.font = fontOf(TITLE_PX, 600);
  context.fillText(title, PADDING_PX, PADDING_PX);
  context.fillStyle = colours['text-2'];
  context.font = fontOf(LINE_PX);
  rest.forEach((line, i) =>
    context.fillText(line, PADDING_PX, PADDING_PX + TITLE_PX + 5 + i * (LINE_PX + 5)),
  );
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(m.picture_too_large()))), 'image/png');
  });
}
