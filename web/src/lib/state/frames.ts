/**
 * Draws at most once a frame, however many updates came: tasks asked for between two frames run
 * together in the next one, each once.
 */
const tasks = new Set<() => void>();
let handle = 0;
/** A page that is never idle does what can wait after so long. */
const MOST_IDLE_MS = 300;

export function requestFrame(task: () => void): void {
  tasks.add(task);
  if (handle === 0) handle = requestAnimationFrame(run);
}

/** Runs the task once what is more urgent has been drawn and answered. */
export function whenIdle(task: () => void): void {
  // Not every browser has idle times.
  if ('requestIdleCallback' in globalThis) requestIdleCallback(task, { timeout: MOST_IDLE_MS });
  else setTimeout(task, MOST_IDLE_MS);
}

export function cancelFrame(task: () => void): void {
  tasks.delete(task);
}

function run(): void {
  handle = 0;
  const due = [...tasks];
  tasks.clear();
  for (const task of due) task();
}
