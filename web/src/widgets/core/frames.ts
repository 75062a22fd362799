/** Drawing in one frame ends after so long, milliseconds: what is left is drawn in the next. */
const BUDGET_MS = 4;

const waiting = new Set<() => void>();
let isAsked = false;

function run(): void {
  isAsked = false;
  const from = performance.now();
  for (const draw of waiting) {
    waiting.delete(draw);
    draw();
    if (performance.now() - from > BUDGET_MS) break;
  }
  if (waiting.size > 0) ask();
}

function ask(): void {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(run);
}

/** Has all that changed drawn once, in the next frame that has time for it. */
export function requestDraw(draw: () => void): void {
  waiting.add(draw);
  ask();
}

export function cancelDraw(draw: () => void): void {
  waiting.delete(draw);
}
