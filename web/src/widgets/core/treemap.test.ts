import { describe, expect, it } from 'vitest';
import { squarify } from './treemap.ts';

describe('squarify', () => {
  it('divides the example of the paper as the paper does', () => {
    const boxes = squarify([6, 6, 4, 3, 2, 2, 1], 6, 4);
    expect(boxes.slice(0, 2)).toEqual([
      { x: 0, y: 0, width: 3, height: 2 },
      { x: 0, y: 2, width: 3, height: 2 },
    ]);
    expect(boxes[2]).toMatchObject({ x: 3, y: 0 });
    expect(boxes[2]!.height).toBeCloseTo(7 / 3);
    expect(boxes[2]!.width / boxes[3]!.width).toBeCloseTo(4 / 3);
  });

  it('fills the box, each tile by its weight, and no two overlap', () => {
    const weights = Array.from({ length: 40 }, (_, index) => 1 / (index + 1) ** 1.5);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [width, height] of [
      [640, 220],
      [160, 900],
    ] as const) {
      const boxes = squarify(weights, width, height);
      for (const [index, box] of boxes.entries()) {
        expect(box.width * box.height).toBeCloseTo((weights[index]! / total) * width * height, 6);
        expect(box.x + box.width).toBeLessThanOrEqual(width + 1e-6);
        expect(box.y + box.height).toBeLessThanOrEqual(height + 1e-6);
        for (const other of boxes.slice(index + 1)) {
          const overlapX = Math.min(box.x + box.width, other.x + other.width) - Math.max(box.x, other.x);
          const overlapY = Math.min(box.y + box.height, other.y + other.height) - Math.max(box.y, other.y);
          expect(Math.min(overlapX, overlapY)).toBeLessThan(1e-6);
        }
      }
    }
  });

  it('makes equal tiles in a square nearly square', () => {
    for (const { width, height } of squarify(Array(16).fill(1), 100, 100)) {
      expect(Math.max(width / height, height / width)).toBeLessThan(1.5);
    }
  });

  it('has none where there is no room or no weight', () => {
    expect(squarify([1, 2], 0, 100)).toEqual([]);
    expect(squarify([], 10, 10)).toEqual([]);
  });
});
