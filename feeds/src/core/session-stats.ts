/** What a session counted; `verify` and the feed pages show it. */
export interface SessionStats {
  /** Frames of any kind. */
  frames: number;
  /** Order-book messages among them. */
  bookUpdates: number;
  trades: number;
  /** Frames that could not be understood. */
  malformed: number;
  /** Pairs of consecutive book messages that the venue's sequence rule joins. */
  links: number;
  /** Pairs that it does not. */
  gaps: number;
  checksumsOk: number;
  checksumsBad: number;
  /** Books that had to be taken anew after having been live. */
  resyncs: number;
}

export function emptyStats(): SessionStats {
  return {
    frames: 0,
    bookUpdates: 0,
    trades: 0,
    malformed: 0,
    links: 0,
    gaps: 0,
    checksumsOk: 0,
    checksumsBad: 0,
    resyncs: 0,
  };
}

export function sumStats(a: SessionStats, b: SessionStats): SessionStats {
  const sum = { ...a };
  for (const key of Object.keys(sum) as (keyof SessionStats)[]) sum[key] += b[key];
  return sum;
}
