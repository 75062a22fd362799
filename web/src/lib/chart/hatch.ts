import { withAlpha, type Colours } from './colours.ts';

const HATCH = 6;

/** Lines across the ground: here nothing is known, which is not the same as nothing resting. */
export function hatchOf(
  context: CanvasRenderingContext2D,
  colours: Colours,
  pixelRatio: number,
): CanvasPattern {
  const side = Math.round(HATCH * pixelRatio);
  const tile = new OffscreenCanvas(side, side);
  const drawn = tile.getContext('2d')!;
  drawn.fillStyle = colours.ground;
  drawn.fillRect(0, 0, side, side);
  drawn.strokeStyle = withAlpha(colours['line-strong'], 0.6);
  drawn.lineWidth = pixelRatio;
  drawn.beginPath();
  for (const from of [-side, 0, side]) {
    drawn.moveTo(from - 1, side + 1);
    drawn.lineTo(from + side + 1, -1);
  }
  drawn.stroke();
  const pattern = context.createPattern(tile, 'repeat')!;
  pattern.setTransform(new DOMMatrix().scale(1 / pixelRatio));
  return pattern;
}
