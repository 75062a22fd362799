import type { Scale } from '@depthwire/shared';

const QUOTE = 34;
const COMMA = 44;
const DOT = 46;
const ZERO = 48;
const OPEN = 91;
const CLOSE = 93;

/** Digits that a double holds exactly, whatever they are; as ticks they are below `MAX_TICKS`. */
const EXACT_DIGITS = 15;
const INITIAL_BYTES = 65_536;
const POW10 = Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** What comes of a text that is not as expected, where only numbers of zero or more are. */
const UNUSUAL = -1;

/**
 * Reads the text of a frame from left to right in the very form that a venue writes, several times faster
 * than as JSON. It takes nothing but that form: whatever is unusual, valid or not, is left to the
 * general way, so that both come to the same.
 */
export class FrameCursor {
  #text = '';
  #at = 0;
  #bytes = Buffer.alloc(INITIAL_BYTES);
  #isEncoded = false;

  begin(text: string): void {
    this.#text = text;
    this.#at = 0;
    this.#isEncoded = false;
  }

  /** Whether the text has been read to its end. */
  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** Goes on behind these characters, if they are what comes next. */
  skip(characters: string): boolean {
    if (!this.#text.startsWith(characters, this.#at)) return false;
    this.#at += characters.length;
    return true;
  }

  /** A run of letters, digits and `_`; empty where none comes next. */
  word(): string {
    const from = this.#at;
    let at = from;
    while (isWordCode(this.#text.charCodeAt(at))) at += 1;
    this.#at = at;
    return this.#text.slice(from, at);
  }

  /** A whole number as JSON writes it, of up to 15 digits; below zero where none comes next. */
  integer(): number {
    const text = this.#text;
    const from = this.#at;
    let at = from;
    let value = 0;
    for (
      let digit = text.charCodeAt(at) - ZERO;
      digit >= 0 && digit <= 9;
      digit = text.charCodeAt(at) - ZERO
    ) {
      value = value * 10 + digit;
      at += 1;
    }
    const count = at - from;
    if (count === 0 || count > EXACT_DIGITS || (count > 1 && text.charCodeAt(from) === ZERO)) return UNUSUAL;
    this.#at = at;
    return value;
  }

  /**
   * Levels, `[["price","size"],…]`, as flat `ticks, lots` pairs: prices above zero, both on the grid, all of
   * plain digits.
   * @returns null where anything is otherwise
   */
  levels(tick: Scale, lot: Scale): number[] | null {
    const bytes = this.#encoded();
    let at = this.#at;
    if (bytes[at] !== OPEN) return null;
    const flat: number[] = [];
    if (bytes[at + 1] === CLOSE) {
      this.#at = at + 2;
      return flat;
    }
    do {
      if (bytes[at + 1] !== OPEN || bytes[at + 2] !== QUOTE) return null;
      const ticks = this.#units(bytes, at + 3, tick);
      if (ticks <= 0) return null;
      at = this.#at;
      if (bytes[at] !== COMMA || bytes[at + 1] !== QUOTE) return null;
      const lots = this.#units(bytes, at + 2, lot);
      if (lots < 0) return null;
      at = this.#at;
      if (bytes[at] !== CLOSE) return null;
      flat.push(ticks, lots);
      at += 1;
    } while (bytes[at] === COMMA);
    if (bytes[at] !== CLOSE) return null;
    this.#at = at + 1;
    return flat;
  }

  /** A decimal up to its closing quote, which is passed, as a whole number of units of the scale. */
  #units(bytes: Uint8Array, from: number, { units, decimals }: Scale): number {
    let at = from;
    let value = 0;
    let digit = bytes[at]! - ZERO;
    while (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      at += 1;
      digit = bytes[at]! - ZERO;
    }
    const whole = at - from;
    let missing = decimals;
    if (bytes[at] === DOT) {
      at += 1;
      digit = bytes[at]! - ZERO;
      while (digit >= 0 && digit <= 9) {
        if (missing > 0) {
          value = value * 10 + digit;
          missing -= 1;
        } else if (digit !== 0) return UNUSUAL; // finer than the scale
        at += 1;
        digit = bytes[at]! - ZERO;
      }
    }
    if (bytes[at] !== QUOTE || whole === 0 || whole + decimals > EXACT_DIGITS) return UNUSUAL;
    this.#at = at + 1;
    if (missing > 0) value *= POW10[missing]!;
    if (units === 1) return value;
    const count = value / units;
    return Number.isInteger(count) ? count : UNUSUAL;
  }

  /**
   * The text as bytes, which are read several times faster. What was read before is ASCII, and each byte of
   * ASCII is a character, so that places are the same in both as far as anything is taken.
   */
  #encoded(): Uint8Array {
    if (!this.#isEncoded) {
      this.#isEncoded = true;
      if (this.#text.length >= this.#bytes.length) this.#bytes = Buffer.alloc(2 * this.#text.length);
      this.#bytes[this.#bytes.write(this.#text)] = 0; // what is left of a longer text is never read
    }
    return this.#bytes;
  }
}

function isWordCode(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= ZERO && code <= 57) || code === 95
  );
}
