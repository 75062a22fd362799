/** What a shell learns from a command; listed in its help. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

/** How a command reports its exit code. */
export type Done = (code: number) => void;
