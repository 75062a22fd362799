import { m } from '../paraglide/messages.js';

/** Keys of commands, as the key library writes them. */
export const keys = {
  undo: '$mod+KeyZ',
  redo: '$mod+Shift+KeyZ',
  newAlert: 'Alt+KeyA',
  palette: '$mod+KeyK',
  /** Some layouts have it without Shift. */
  shortcuts: '[Shift]+?',
} as const;

/** Of commands that are there only while panels are docked. */
export const panelKeys = {
  maximise: 'Alt+KeyM',
  next: 'Alt+BracketRight',
  previous: 'Alt+BracketLeft',
  close: 'Alt+KeyW',
} as const;

const isMac = () => /Mac|iP(hone|ad)/.test(navigator.userAgent);

/** Keys as people of this machine read them: `Ctrl Shift Z`. */
export function showKeys(combination: string): string {
  const names: Record<string, string> = {
    $mod: isMac() ? '⌘' : m.key_ctrl(),
    Alt: isMac() ? '⌥' : m.key_alt(),
    Shift: m.key_shift(),
    Enter: m.key_enter(),
    BracketLeft: '[',
    BracketRight: ']',
  };
  return combination
    .split('+')
    .filter((key) => !key.startsWith('['))
    .map((key) => names[key] ?? key.replace(/^Key/, ''))
    .join(' ');
}
