export const FAMILY = "'Inter', system-ui, sans-serif";
const USUAL_PX = 11;

/** Size of what is written on a canvas in an element: that of the small text there, pixels. */
export function textSizeIn(element: Element): number {
  return parseFloat(getComputedStyle(element).getPropertyValue('--size-s')) || USUAL_PX;
}

/** As a canvas understands it. */
export function fontOf(px: number, weight: 400 | 600 = 400, family = FAMILY): string {
  return `${weight} ${px}px ${family}`;
}
