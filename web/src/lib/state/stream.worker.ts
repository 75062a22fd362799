import { hostAt } from './stream-host.ts';

// Off the page's thread: a host for each port that the page sends.
addEventListener('message', ({ ports }: MessageEvent) => {
  for (const port of ports) hostAt(port);
});
