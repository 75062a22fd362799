import type { Registry } from 'prom-client';
import type { DepthHistory } from '../history/depth-history.ts';
import type { History, HistoryFigures } from '../history/history.ts';
import { sampledCounter, sampledGauge } from './sampled.ts';

/** What is kept of the past, in memory and beyond. */
export function addHistoryMetrics(registry: Registry, depthHistory: DepthHistory, history: History): void {
  const ofColumns = (name: string, help: string, key: keyof DepthHistory['figures']) =>
    sampledGauge(registry, { name: `depthwire_depth_history_${name}`, help }, () => [
      [{}, depthHistory.figures[key]],
    ]);
  ofColumns('instruments', 'Instruments whose books are recorded in columns.', 'instruments');
  ofColumns('columns', 'Columns of books that are kept.', 'columns');
  ofColumns('bytes', 'Bytes that these columns take.', 'bytes');

  if (history.figures === null) return; // nothing is stored
  const read = (of: (figures: HistoryFigures) => number) => () => [[{}, of(history.figures!)]] as const;
  const about = (name: string, help: string) => ({ name: `depthwire_history_${name}`, help });
  sampledGauge(
    registry,
    about('up', '1 while stored history can be read and written; live data needs none.'),
    () => [[{}, history.report.state === 'away' ? 0 : 1]],
  );
  sampledGauge(
    registry,
    about('waiting_trades', 'Trades that wait to be written.'),
    read((f) => f.waitingTrades),
  );
  sampledGauge(
    registry,
    about('bytes', 'Bytes that stored history takes.'),
    read((f) => f.bytes),
  );
  sampledGauge(
    registry,
    about('filling_instruments', 'Instruments whose past their feed is asked for.'),
    read((f) => f.filling),
  );
  sampledCounter(
    registry,
    about('written_trades_total', 'Trades written.'),
    read((f) => f.writtenTrades),
  );
  sampledCounter(
    registry,
    about('duplicate_trades_total', 'Trades that were there already.'),
    read((f) => f.duplicateTrades),
  );
  sampledCounter(
    registry,
    about('dropped_total', 'Trades and columns given up for want of room.'),
    read((f) => f.dropped),
  );
  sampledCounter(
    registry,
    about('failures_total', 'Writes that failed; each is tried again.'),
    read((f) => f.failures),
  );
  sampledCounter(
    registry,
    about('filled_total', 'Times that a hole was filled by its feed.'),
    read((f) => f.filled),
  );
}
