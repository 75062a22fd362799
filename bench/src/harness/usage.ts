/** On the clock that all processes of a machine share, milliseconds. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Tells how much of one core this process uses. */
export class Usage {
  #fromMs = 0;
  #from = process.cpuUsage();

  begin(): void {
    this.#fromMs = nowMs();
    this.#from = process.cpuUsage();
  }

  /** Part of one core since `begin`. */
  end(): number {
    const { user, system } = process.cpuUsage(this.#from);
    return (user + system) / 1000 / (nowMs() - this.#fromMs);
  }
}
