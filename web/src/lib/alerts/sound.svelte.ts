import { isUntouched, playTune, prepareSound } from '../ui/sound.ts';
import type { Condition } from './alert-model.ts';

/** Notes, hertz. */
const RISING = [660, 880];
const FALLING = [660, 495];
const PLAIN = [740, 740];

/** Short tunes; a browser lets a page sound only once somebody has clicked or typed in it. */
export class AlertSound {
  /** The browser keeps the page silent until somebody clicks or types in it. */
  isBlocked = $state(isUntouched());

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
    return stop;
  }

  /** To be called from what somebody does with the page: some browsers want the device taken then. */
  async prepare(): Promise<void> {
    this.isBlocked = !(await prepareSound());
  }

  async play(condition: Condition): Promise<void> {
    this.isBlocked = !(await playTune({ notes: notesOf(condition), noteS: 0.14, volume: 0.16 }));
  }
}

function notesOf(condition: Condition): readonly number[] {
  if (condition.kind !== 'price' && condition.kind !== 'move') return PLAIN;
  if (condition.way === 'above' || condition.way === 'up') return RISING;
  return condition.way === 'either' ? PLAIN : FALLING;
}
