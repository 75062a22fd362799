/**
 * Draws at most once a frame, however many updates came: tasks asked for between two frames run
 * together in the next one, each once.
 */
const tasks = new Set<() => void>();
let handle = 0;

export function requestFrame(task: () => void): void {
  tasks.add(task);
  if (handle === 0) handle = requestAnimationFrame(run);
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
