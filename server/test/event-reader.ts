import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** What a client has of the first bytes of a stream: events that are complete, and the last id, where there is one. */
export function eventsIn(text: string): { events: EventSourceMessage[]; lastEventId: string | undefined } {
  const events: EventSourceMessage[] = [];
  createParser({ onEvent: (event) => events.push(event) }).feed(text);
  return { events, lastEventId: events.findLast(({ id }) => id !== undefined)?.id };
}

/** A client of an event stream that reads when it is told to, and shows what came. */
export class EventReader {
  readonly events: EventSourceMessage[] = [];
  readonly comments: string[] = [];
  readonly retries: number[] = [];
  /** As a browser would send it when it comes back. */
  lastEventId = '';
  isEnded = false;
  readonly response: IncomingMessage;
  #waiting: (() => void)[] = [];

  private constructor(response: IncomingMessage) {
    this.response = response;
    const parser = createParser({
      onEvent: (event) => {
        this.events.push(event);
        this.lastEventId = event.id ?? this.lastEventId;
      },
      onComment: (comment) => this.comments.push(comment),
      onRetry: (retry) => this.retries.push(retry),
    });
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      parser.feed(chunk);
      this.#wake();
    });
    response.on('close', () => {
      this.isEnded = true;
      this.#wake();
    });
    response.on('error', () => undefined);
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const request = get(url, { headers, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return new EventReader(response);
  }

  /** Waits for an event that fits, and takes it and all before it off the list. */
  async next(fits: (data: Record<number | string, unknown>, event: string) => boolean): Promise<unknown> {
    for (;;) {
      const index = this.events.findIndex(({ data, event = '' }) => fits(JSON.parse(data) as never, event));
      if (index >= 0) return JSON.parse(this.events.splice(0, index + 1).at(-1)!.data);
      if (this.isEnded) throw new Error('the stream has ended');
      await this.activity();
    }
  }

  /** Waits for more to come, or for the end. */
  async activity(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async end(): Promise<void> {
    while (!this.isEnded) await this.activity();
  }

  get data(): unknown[] {
    return this.events.map(({ data }) => JSON.parse(data) as unknown);
  }

  destroy(): void {
    this.response.destroy();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
