/**
 * One of those that are compared. Each lives in a process of its own, so that nobody's garbage or
 * compiled code is another's; rounds are interleaved by the parent.
 */
export interface Contender {
  /** Does the work once. Only what happens in here is measured, as CPU time of the whole process. */
  round(): RoundResult | Promise<RoundResult>;
}

export interface RoundResult {
  /** Units of work that the round has done: CPU time is divided by it. */
  readonly units: number;
  /** CPU time of the part to be measured, microseconds; that of the whole round where it is left out. */
  readonly cpuUs?: number;
  /** What must be the same for all contenders: a hash of the final books, say. */
  readonly check?: string;
  /** Further figures of the round. */
  readonly figures?: Readonly<Record<string, number>>;
}

export type CreateContender = (options: unknown) => Contender | Promise<Contender>;

export type ToContender =
  | { readonly type: 'create'; readonly module: string; readonly name: string; readonly options: unknown }
  | { readonly type: 'round'; readonly isWarmUp: boolean };

export type FromContender =
  | { readonly type: 'ready' }
  | {
      readonly type: 'result';
      readonly result: Required<Omit<RoundResult, 'check'>> & { readonly check: string | null };
    }
  | { readonly type: 'failed'; readonly reason: string };
