import { describe, expect, it } from 'vitest';
import {
  configCode,
  elementCode,
  escapeAttribute,
  frameCode,
  frameUrl,
  installCode,
  moduleCode,
  pageCode,
  policyCode,
  styleCode,
  type Source,
} from './code.ts';
import {
  attributesHere,
  freshSetup,
  needOf,
  originOf,
  problemsOf,
  setupFromQuery,
  setupToQuery,
  sizeOf,
  withKind,
  type Setup,
} from './setup.ts';
import { kinds } from '../../widgets/kinds.ts';

const key = `dw_pk_${'a'.repeat(43)}`;
const isValue = (_: string, text: string) => text !== 'nonsense';
const source: Source = { server: 'https://data.example.com/', pinned: null, isValue };
const depth: Setup = { ...freshSetup, attributes: { instrument: 'sim:BTC-USD' } };
/** The element without its class. */
const bare = (setup: Setup) => elementCode(setup, source).replace(/ class="dw-[0-9a-f]{8}"/, '');
const className = 'dw-dee037f5';
const withAttributes = (attributes: Setup['attributes'], kind: Setup['kind'] = 'depth'): Setup => ({
  ...depth,
  kind,
  attributes: { ...depth.attributes, ...attributes },
});

describe('code', () => {
  it('is three lines for a plain page', () => {
    expect(pageCode(depth, source).split('\n')).toEqual([
      '<script type="module" src="https://data.example.com/widgets.js"></script>',
      `<style>.${className} { height: 320px }</style>`,
      `<depthwire-depth class="${className}" instrument="sim:BTC-USD"></depthwire-depth>`,
    ]);
  });

  it('has a rule for each widget, though several of one kind stand in a page', () => {
    const [low, high] = [depth, { ...depth, height: '500' }].map((setup) => {
      const [, style, element] = pageCode(setup, source).split('\n');
      const [, ofRule] = /<style>\.(\S+) /.exec(style!)!;
      const [, ofElement] = / class="(\S+)"/.exec(element!)!;
      expect(ofElement).toBe(ofRule);
      return ofRule;
    });
    expect(low).not.toBe(high);
  });

  it('names the file of a version and its hash', () => {
    const pinned = { version: '0.1.0-abcd', integrity: 'sha384-x/y+z=' };
    expect(pageCode(depth, { ...source, pinned })).toContain(
      '<script type="module" src="https://data.example.com/widgets/0.1.0-abcd/widgets.js" integrity="sha384-x/y+z=" crossorigin="anonymous"></script>',
    );
  });

  it('has no option that is so anyway, is wrong, or belongs to another kind', () => {
    const setup = withAttributes({
      ...{ theme: 'auto', measure: 'size', cadence: '250', span: '12.5', rows: '5', locale: 'no locale' },
      ...{ label: ' ', transparent: '', key: 'dw_sk_secret' },
    });
    expect(bare(setup)).toBe(
      '<depthwire-depth instrument="sim:BTC-USD" span="12.5" transparent></depthwire-depth>',
    );
    expect(bare(withAttributes({ fields: 'bid ask volume' }, 'ticker'))).not.toContain('fields');
    expect(bare(withAttributes({ fields: 'ask bid volume' }, 'ticker'))).toContain('fields="ask bid volume"');
  });

  it('escapes what is in attributes', () => {
    expect(escapeAttribute(`a "b" <c> & 'd'`)).toBe("a &quot;b&quot; &lt;c> &amp; 'd'");
    expect(bare(withAttributes({ label: '"><script>' }))).toContain('label="&quot;>&lt;script>"');
  });

  it('puts size and colours into the style, and nothing that could end it', () => {
    const setup: Setup = {
      ...{ ...depth, width: '400', height: '999999' },
      variables: {
        up: '#00ff00',
        down: 'red; } body { color: red',
        ground: '</style>',
        text: 'nonsense',
        radius: '8px',
      },
    };
    expect(styleCode(setup, source)).toEqual(
      expect.stringMatching(
        /^\.dw-[0-9a-f]{8} \{ width: 400px; max-width: 100%; height: 320px; --depthwire-up: #00ff00 \}$/,
      ),
    );
  });

  it('has the same options in the address of a frame', () => {
    const setup: Setup = {
      ...withAttributes({ label: 'A & "B"', transparent: '', theme: 'dark' }),
      variables: { up: '#00ff00' },
    };
    const url = new URL(frameUrl(setup, source));
    expect(url.pathname).toBe('/embed/depth');
    expect([...url.searchParams]).toEqual([
      ['instrument', 'sim:BTC-USD'],
      ['label', 'A & "B"'],
      ['theme', 'dark'],
      ['transparent', ''],
      ['--depthwire-up', '#00ff00'],
    ]);
    expect(frameCode(setup, source)).toBe(
      '<iframe src="https://data.example.com/embed/depth?instrument=sim:BTC-USD&amp;label=A+%26+%22B%22&amp;theme=dark&amp;transparent=&amp;--depthwire-up=%2300ff00" title="Depth chart sim:BTC-USD" width="100%" height="320" loading="lazy" sandbox="allow-scripts allow-same-origin allow-popups" frameborder="0"></iframe>',
    );
    expect(frameUrl({ ...freshSetup, kind: 'status' }, source)).toBe('https://data.example.com/embed/status');
  });

  it('installs and imports for bundlers', () => {
    expect(installCode(source)).toBe('npm install https://data.example.com/widgets/depthwire-widgets.tgz');
    expect(moduleCode(source)).toContain("defineWidgets({ server: 'https://data.example.com/' })");
  });

  it('says what the policy of the page permits', () => {
    expect(policyCode('element', source)).toContain(
      'script-src https://data.example.com;\n  connect-src https://data.example.com wss://data.example.com;',
    );
    expect(policyCode('element', { ...source, server: 'http://localhost:8080/' })).toContain(
      'ws://localhost:8080',
    );
    expect(policyCode('frame', source)).toBe(
      "Content-Security-Policy:\n  default-src 'none';\n  frame-src https://data.example.com",
    );
    expect(policyCode('module', source)).toContain("script-src 'self'");
  });

  it('says what the key has to grant', () => {
    const setup = { ...withAttributes({ key, cadence: '50' }), origin: 'https://shop.example/' };
    expect(configCode(setup)).toBe(
      [
        'access:',
        '  publishableKeys:',
        '    - id: my-page',
        `      key: ${key}`,
        "      origins: ['https://shop.example']",
        "      instruments: ['sim:BTC-USD']",
        '      topics: [book]',
        '      maxDepth: 500 # levels a side',
        '      minCadenceMs: 50',
      ].join('\n'),
    );
    expect(configCode(withAttributes({}, 'ticker'))).not.toContain('maxDepth');
  });

  it('offers no key before it is known for which instruments', () => {
    for (const kind of kinds) expect(configCode({ ...freshSetup, kind })).toBeNull();
    expect(configCode(withAttributes({ instrument: 'no instrument' }))).toBeNull();
    expect(configCode(withAttributes({ instruments: '*' }, 'market-table'))).toBeNull();
  });
});

describe('setup', () => {
  it('is the same after a way through the address', () => {
    const setup: Setup = {
      ...withAttributes({ key, label: 'a&b=c #1', theme: 'dark', background: '' }),
      ...{
        variables: { up: '#0f0', font: '1rem "A, B", serif' },
        width: '300',
        height: '',
        origin: 'https://a.example',
      },
      ...{ way: 'frame', isPinned: true, view: 'rtl', ground: 'light' },
    };
    expect(setupFromQuery(new URLSearchParams(setupToQuery(setup)))).toEqual(setup);
    expect(setupFromQuery(new URLSearchParams(''))).toEqual(freshSetup);
    expect(setupToQuery(depth)).toBe('kind=depth&instrument=sim:BTC-USD');
  });

  it('takes no choice that there is not', () => {
    const query = new URLSearchParams('kind=nothing&way=&view=x&ground=pink&width=wide');
    expect(setupFromQuery(query)).toEqual({ ...freshSetup, width: 'wide' });
  });

  it('writes no key into the address that may be a secret one', () => {
    expect(setupToQuery(withAttributes({ key: 'dw_sk_secret' }))).not.toContain('secret');
  });

  it('tells what is wrong, where it is', () => {
    const setup: Setup = {
      ...withAttributes({ key: 'dw_sk_x', span: 'far', locale: '???', label: '' }),
      ...{ variables: { up: 'nonsense', down: '#f00' }, width: '5', height: 'tall', origin: 'example.com' },
    };
    expect(problemsOf(setup, isValue)).toEqual({
      key: { is: 'secret' },
      span: { is: 'option', expected: 'a number from 0.1 to 5000' },
      locale: { is: 'option', expected: expect.stringContaining('language tag') as string },
      up: { is: 'style' },
      width: { is: 'pixels' },
      height: { is: 'pixels' },
      origin: { is: 'origin' },
    });
    expect(problemsOf(freshSetup, isValue)).toEqual({ instrument: { is: 'missing' } });
    expect(problemsOf(depth, isValue)).toEqual({});
  });

  it('keeps what it shows for another kind, and what another kind had', () => {
    const several = withKind(withAttributes({ span: '5' }), 'heat-tiles');
    expect(several.attributes.instruments).toBe('sim:BTC-USD');
    expect(bare(several)).toBe('<depthwire-heat-tiles instruments="sim:BTC-USD"></depthwire-heat-tiles>');
    expect(bare(withKind(several, 'depth'))).toContain('span="5"');
    const one = withKind({ ...freshSetup, attributes: { instruments: 'a:B-C, a:D-E' } }, 'ticker');
    expect(one.attributes.instrument).toBe('a:B-C');
  });

  it('has the size that suits the kind, or the one that was asked for', () => {
    expect(sizeOf(depth)).toEqual({ width: null, height: 320 });
    expect(sizeOf({ ...depth, kind: 'status' }).width).toBe(220);
    expect(sizeOf({ ...depth, width: '10' }).width).toBeNull();
    expect(sizeOf({ ...depth, width: '240' }).width).toBe(240);
  });

  it('knows what a kind cannot do without', () => {
    expect([needOf('ticker'), needOf('market-table'), needOf('status')]).toEqual([
      'instrument',
      'instruments',
      null,
    ]);
    expect(attributesHere('depth')).not.toContain('server');
  });

  it('reads an origin as browsers send it', () => {
    const read = (origin: string) => originOf({ ...depth, origin });
    expect(read(' https://Shop.example:443/ ')).toBe('https://shop.example');
    expect([read('shop.example'), read('ftp://a.example'), read('https://a.example/page')]).toEqual([
      null,
      null,
      null,
    ]);
  });
});
