/** A pointer that rests for so long is no longer about to point at anything. */
const REST_MS = 10_000;

type PointerAt = Pick<PointerEvent, 'clientX' | 'clientY' | 'pointerType'>;

/**
 * Whether a pointer that moves over a list holds it still. One that was only there holds nothing: rows that move under
 * it, or a menu that closes over them, make it enter too.
 */
export class PointerHold {
  readonly #onChange: (isHeld: boolean) => void;
  #at: { readonly x: number; readonly y: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onChange: (isHeld: boolean) => void) {
    this.#onChange = onChange;
  }

  /** The pointer is over the list: it came there, or the list came under it. */
  readonly enter = ({ clientX: x, clientY: y }: PointerAt): void => {
    this.#at = { x, y };
  };

  readonly move = (event: PointerAt): void => {
    const before = this.#at;
    this.enter(event);
    if (event.pointerType !== 'mouse' || !before) return;
    if (before.x === event.clientX && before.y === event.clientY) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onChange(false), REST_MS);
    this.#onChange(true);
  };

  /** The pointer is gone. */
  readonly leave = (): void => {
    this.#at = null;
    this.release();
  };

  /** Until the pointer moves again. */
  readonly release = (): void => {
    clearTimeout(this.#timer);
    this.#onChange(false);
  };
}
