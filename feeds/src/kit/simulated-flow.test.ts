import { describe, expect, it } from 'vitest';
import { SimulatedFlow, textUnits, TruthBook } from './index.ts';

describe('SimulatedFlow', () => {
  it('is a book that lives on another grid and never crosses, the same each time', async () => {
    const run = async () => {
      const options = { instrument: 'sim:BTC-USD', tick: '0.5', lot: '0.01', price: '20000' };
      const flow = await SimulatedFlow.start(options);
      const book = new TruthBook();
      const texts: string[] = [];
      let changes = 0;
      const take = (list: readonly { side: 'bid' | 'ask'; price: string; quantity: string }[]) => {
        changes += list.length;
        for (const { side, price, quantity } of list) {
          expect(textUnits(price) % textUnits('0.5')).toBe(0);
          book.set(side, textUnits(price), textUnits(quantity));
        }
        const { bids, asks } = book.toText();
        expect(Number(bids[0]![0])).toBeLessThan(Number(asks[0]![0]));
        texts.push(`${bids[0]!.join(' ')} ${asks[0]!.join(' ')}`);
      };
      take(flow.opening);
      expect(texts[0]).toMatch(/^20000 /);
      for (let i = 0; i < 200; i++) take(flow.advance(100));
      await flow.stop();
      expect(changes).toBeGreaterThan(1_000);
      expect(new Set(texts).size).toBeGreaterThan(20);
      return texts;
    };
    expect(await run()).toEqual(await run());
  });
});
