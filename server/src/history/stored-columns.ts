import {
  DEPTH_BUCKETS,
  DepthDecoder,
  DepthEncoder,
  type DepthColumn,
  type DepthRecord,
} from '@depthwire/shared/depth';
import { packr } from '../msgpack.ts';
import type { StoredColumn } from './stores/store.ts';

/** Each on its own: what was written before it need not be there any more. */
export function packColumn(column: DepthColumn): StoredColumn {
  const { time, step } = column;
  const record = new DepthEncoder({ time, step, buckets: DEPTH_BUCKETS }).encode(column);
  return { time, step, data: packr.pack(record) };
}

/** Sizes are within 0.1 % of what they were. One that cannot be read is left out, as a hole, and takes nothing from the others. */
export function unpackColumns(stored: readonly StoredColumn[]): DepthColumn[] {
  return stored.flatMap((one) => unpackColumn(one) ?? []);
}

/** Null where it is no column that was packed here. */
function unpackColumn({ time, step, data }: StoredColumn): DepthColumn | null {
  try {
    const record = packr.unpack(data) as DepthRecord;
    const column = new DepthDecoder({ time, step, buckets: DEPTH_BUCKETS }).decode(record);
    return column.time === time ? column : null;
  } catch {
    return null;
  }
}
