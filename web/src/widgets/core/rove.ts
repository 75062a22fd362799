/**
 * Of many that can be chosen one is reached by Tab, so that the way past them is short; arrows, Home and End go to
 * the others.
 */
export function rove(container: HTMLElement, selector: string): void {
  const all = () => [...container.querySelectorAll<HTMLElement>(selector)];
  container.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLElement) || !target.matches(selector)) return;
    for (const item of all()) item.tabIndex = item === target ? 0 : -1;
  });
  container.addEventListener('keydown', (event) => {
    const items = all();
    const index = items.indexOf(event.target as HTMLElement);
    if (index < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const isMirrored = getComputedStyle(container).direction === 'rtl';
    const next = nextOf(event.key, index, items.length, isMirrored);
    if (next === null) return;
    event.preventDefault();
    items[next]!.focus();
  });
}

/** @returns null where the key is none of those that go somewhere */
export function nextOf(key: string, index: number, count: number, isMirrored: boolean): number | null {
  const [forth, back] = isMirrored ? ['ArrowLeft', 'ArrowRight'] : ['ArrowRight', 'ArrowLeft'];
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  if (key === 'ArrowDown' || key === forth) return Math.min(count - 1, index + 1);
  return key === 'ArrowUp' || key === back ? Math.max(0, index - 1) : null;
}

/** That one of them is reached by Tab, whichever have come and gone. */
export function settle(container: HTMLElement, selector: string): void {
  const items = container.querySelectorAll<HTMLElement>(selector);
  if (items.length > 0 && ![...items].some(({ tabIndex }) => tabIndex === 0)) items[0]!.tabIndex = 0;
}
