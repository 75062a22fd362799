import type { Condition } from './alert-model.ts';

/** Frequencies of the notes, hertz, and how long each is, seconds. */
const NOTE_S = 0.14;
const RISING = [660, 880];
const FALLING = [660, 495];
const PLAIN = [740, 740];
const VOLUME = 0.16;
/** After the last note the device is let go. */
const REST_MS = 1_500;

/** Short tones; a browser lets a page sound only once somebody has clicked or typed in it. */
export class AlertSound {
  /** The browser keeps the page silent until somebody clicks or types in it. */
  isBlocked = $state(isUntouched());
  #context: AudioContext | null = null;
  #resting: ReturnType<typeof setTimeout> | undefined;

  /** Returns how to stop. */
  start(): () => void {
    const unlock = () => {
      this.isBlocked = false;
      stop();
    };
    const events = ['pointerdown', 'keydown'] as const;
    const stop = () => {
      for (const name of events) removeEventListener(name, unlock, true);
    };
    for (const name of events) addEventListener(name, unlock, true);
    return () => {
      stop();
      clearTimeout(this.#resting);
      void this.#context?.close();
      this.#context = null;
    };
  }

  /** To be called from what somebody does with the page: some browsers want the device taken then. */
  prepare(): void {
    void this.#running();
  }

  async play(condition: Condition): Promise<void> {
    const context = await this.#running();
    if (!context) return;
    for (const [i, frequency] of notesOf(condition).entries()) {
      sound(context, frequency, context.currentTime + i * NOTE_S);
    }
  }

  /** @returns null where the browser does not let it sound */
  async #running(): Promise<AudioContext | null> {
    clearTimeout(this.#resting);
    // Known before it is tried, which would leave a warning in the console.
    this.isBlocked = isUntouched();
    if (this.isBlocked) return null;
    try {
      const context = (this.#context ??= new AudioContext());
      // Where it is not let it waits for a click, maybe for ever.
      await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 300))]);
      this.isBlocked = context.state !== 'running';
      this.#resting = setTimeout(() => void context.suspend(), REST_MS);
      return this.isBlocked ? null : context;
    } catch {
      this.isBlocked = true; // no device, or no leave
      return null;
    }
  }
}

function isUntouched(): boolean {
  return !(navigator.userActivation?.hasBeenActive ?? true);
}

function notesOf(condition: Condition): readonly number[] {
  if (condition.kind !== 'price' && condition.kind !== 'move') return PLAIN;
  if (condition.way === 'above' || condition.way === 'up') return RISING;
  return condition.way === 'either' ? PLAIN : FALLING;
}

function sound(context: AudioContext, frequency: number, atS: number): void {
  const oscillator = new OscillatorNode(context, { frequency });
  const gain = new GainNode(context, { gain: 0 });
  // Without a slope at both ends it would click.
  gain.gain.setValueAtTime(0, atS);
  gain.gain.linearRampToValueAtTime(VOLUME, atS + 0.01);
  gain.gain.exponentialRampToValueAtTime(0.001, atS + NOTE_S);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(atS);
  oscillator.stop(atS + NOTE_S);
}
