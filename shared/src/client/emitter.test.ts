import { expect, test } from 'vitest';
import { Emitter } from './emitter.ts';

class Bell extends Emitter<{ ring: [times: number] }> {
  ring(times: number): void {
    this.emit('ring', times);
  }

  silence(): void {
    this.removeAllListeners();
  }
}

test('calls each listener until it is taken off', () => {
  const bell = new Bell();
  const heard: string[] = [];
  const off = bell.on('ring', (times) => heard.push(`a${times}`));
  bell.on('ring', (times) => heard.push(`b${times}`));
  bell.ring(1);
  off();
  off();
  bell.ring(2);
  bell.silence();
  bell.ring(3);
  expect(heard).toEqual(['a1', 'b1', 'b2']);
});

test('a listener may take itself off, or add another, while it is called', () => {
  const bell = new Bell();
  const heard: string[] = [];
  const off = bell.on('ring', (times) => {
    off();
    bell.on('ring', (later) => heard.push(`late${later}`));
    heard.push(`once${times}`);
  });
  bell.on('ring', (times) => heard.push(`always${times}`));
  bell.ring(1);
  bell.ring(2);
  expect(heard).toEqual(['once1', 'always1', 'always2', 'late2']);
});
