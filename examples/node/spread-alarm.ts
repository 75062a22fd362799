// Prints the top of a book, and rings when its spread is wide. Run it from this checkout, with a server beside it:
//   npx node examples/node/spread-alarm.ts sim:BTC-USD 10
import { changes, DepthwireClient, formatUnits, whenReady } from '@depthwire/shared';

const [id = 'sim:BTC-USD', alarmBps = '10', url = 'ws://127.0.0.1:8080/ws'] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

const client = new DepthwireClient({ url });
client.on('error', (error) => console.error(`${error.code}: ${error.message}`));
client.connect();
const subscription = client.book(id, { depth: 1, cadenceMs: 250 });
try {
  await whenReady(subscription, stop);
  for await (const { book, instrument, state } of changes(subscription, stop)) {
    const { bestBid, bestAsk } = book;
    // A book that is not live is a picture of the past: nothing is concluded from it.
    if (state !== 'live' || bestBid === null || bestAsk === null) continue;
    const { tick, lot } = instrument!;
    const bps = ((bestAsk - bestBid) / bestBid) * 10_000;
    const bid = `${formatUnits(book.bids.lotsAt(0), lot)} @ ${formatUnits(bestBid, tick)}`;
    const ask = `${formatUnits(bestAsk, tick)} @ ${formatUnits(book.asks.lotsAt(0), lot)}`;
    console.log(`${id}  ${bid} | ${ask}  ${bps.toFixed(2)} bps${bps > Number(alarmBps) ? '  WIDE' : ''}`);
  }
} catch (error) {
  if (!stop.signal.aborted) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
} finally {
  client.close();
}
