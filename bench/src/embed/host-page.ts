export const IMAGE_PATH = '/hero.svg';
const IMAGE_BYTES = 60_000;
/** How long the page's own script keeps it busy, milliseconds of a computer that is not slowed down. */
const OWN_WORK_MS = 25;

export interface Widgets {
  readonly script: string;
  readonly elements: string;
}

/** What the builder gives, for a ticker and a depth chart. */
export function widgetsIn(server: string): Widgets {
  const instrument = 'bench:B00-USD';
  return {
    script: `<script type="module" src="${server}/widgets.js"></script>`,
    elements: `<depthwire-ticker instrument="${instrument}"></depthwire-ticker><depthwire-depth instrument="${instrument}"></depthwire-depth>`,
  };
}

/** An article as there are many: a large picture, text, and a script of its own. */
export function hostPage({ script, elements }: Widgets): string {
  const paragraph = `<p>${'What rests in a book, and what it costs to take it. '.repeat(12)}</p>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>An article</title>
<style>body{max-width:40em;margin:auto;font:16px/1.5 serif}img{width:100%;aspect-ratio:16/10}</style>${script}
<h1>An article</h1><img src="${IMAGE_PATH}" alt="">${paragraph}${elements}${paragraph.repeat(10)}
<script>addEventListener('load',()=>{const until=performance.now()+${OWN_WORK_MS};let n=0;while(performance.now()<until)n++;document.title+=' '+(n>0)})</script>`;
}

/** A picture that cannot be made smaller on the way. */
export function picture(): string {
  const parts = [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 100"><rect width="160" height="100" fill="#345"/>',
  ];
  let seed = 7;
  let length = 0;
  while (length < IMAGE_BYTES) {
    seed = (seed * 48_271) % 2_147_483_647;
    const circle = `<circle cx="${seed % 160}" cy="${seed % 97}" r="${seed % 7}" fill="#${(seed % 4096).toString(16).padStart(3, '0')}"/>`;
    parts.push(circle);
    length += circle.length;
  }
  return `${parts.join('')}</svg>`;
}
