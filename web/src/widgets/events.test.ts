import type { BookState, Instrument } from '@depthwire/shared';
import { expectTypeOf, test } from 'vitest';
import type { StateDetail, WidgetState } from './events.ts';

test('the types of events, which import nothing, say what those of shared say', () => {
  expectTypeOf<WidgetState>().toEqualTypeOf<BookState | 'connecting' | 'offline' | 'refused' | 'failed'>();
  expectTypeOf<StateDetail['origin']>().toEqualTypeOf<Instrument['origin'] | null>();
});
