import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse as parseSvelte, type AST } from 'svelte/compiler';
import ts from 'typescript';
import { describe, expect, it, test } from 'vitest';
import settings from '../project.inlang/settings.json' with { type: 'json' };

type Variants = [{ declarations: string[]; selectors: string[]; match: Record<string, string> }];
type Messages = Readonly<Record<string, string | Variants>>;

const web = path.resolve(import.meta.dirname, '..');
const { baseLocale, locales } = settings;

function messagesOf(locale: string): Messages {
  const text = readFileSync(path.join(web, 'messages', `${locale}.json`), 'utf8');
  const { $schema: _, ...messages } = JSON.parse(text) as Record<string, string>;
  return messages;
}

const english = messagesOf(baseLocale);

/** All texts of a message: one, or one for each number or choice. */
const textsOf = (message: string | Variants): string[] =>
  typeof message === 'string' ? [message] : Object.values(message[0].match);
const namesIn = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);

/** What has to be given to a message. */
function parametersOf(message: string | Variants): string[] {
  const declared =
    typeof message === 'string'
      ? []
      : message[0].declarations.flatMap((text) => /^input (\w+)$/.exec(text)?.[1] ?? []);
  return [...new Set([...declared, ...textsOf(message).flatMap(namesIn)])].sort();
}

/** Widgets, which carry no messages of the dashboard, have words of their own: widgets/core/words. */
const sources = readdirSync(path.join(web, 'src'), { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => /\.(ts|svelte)$/.test(name) && !/\.test\.ts$|lib\/paraglide\/|^widgets\//.test(name))
  .map((name) => ({ name, text: readFileSync(path.join(web, 'src', name), 'utf8') }));

describe.each(locales.filter((locale) => locale !== baseLocale))('messages/%s.json', (locale) => {
  const messages = messagesOf(locale);

  it('has the messages of the English one, no more and no less', () => {
    expect(Object.keys(messages).sort()).toEqual(Object.keys(english).sort());
  });

  it('takes the same parameters', () => {
    const parameters = (of: Messages) =>
      Object.fromEntries(Object.entries(of).map(([key, message]) => [key, parametersOf(message)]));
    expect(parameters(messages)).toEqual(parameters(english));
  });

  it('leaves out no parameter that the English text shows, and no text', () => {
    const shown = (message: string | Variants | undefined) =>
      [...new Set(textsOf(message ?? '').flatMap(namesIn))].sort();
    for (const [key, message] of Object.entries(english)) {
      expect(shown(messages[key]), key).toEqual(shown(message));
      for (const text of textsOf(messages[key] ?? '')) expect(text.trim(), key).not.toBe('');
    }
  });

  it('has a text for each number that the language tells apart, and for each choice of the English one', () => {
    const numbers = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    for (const [key, message] of Object.entries(english)) {
      if (typeof message === 'string') continue;
      const own = messages[key] as Variants;
      const isPlural = message[0].selectors.includes('plural');
      const wanted = isPlural ? numbers.map((number) => `plural=${number}`) : Object.keys(message[0].match);
      expect(Object.keys(own[0].match).sort(), key).toEqual([...wanted].sort());
    }
  });
});

test('no message is there for nothing', () => {
  const used = new Set(
    sources.flatMap(({ text }) => [...text.matchAll(/\bm\.(\w+)\b/g)].map(([, key]) => key!)),
  );
  expect(Object.keys(english).filter((key) => !used.has(key))).toEqual([]);
});

/** What is no word of a language: units, names of formats, of products and of what the protocol calls so. */
const NO_WORDS =
  /\b(bps|ms|kB|CSV|PNG|JSON|MessagePack|TradingView|Lightweight Charts|Depthwire|RSI|MACD|SMA|EMA|VWAP|BB|npx depthwire key|dw_sk_|hl2|hlc3|ohlc4)\b/g;
const hasWords = (text: string) => /\p{L}{2,}/u.test(text.replace(NO_WORDS, ''));

/** Attributes and properties whose value is read by people. */
const READ =
  /^(aria-(label|description|roledescription|valuetext|placeholder)|title|placeholder|alt|label|text|about|hint|note|problem|notice|heading)$/;

/** Strings that an expression may come to. */
function literalsIn(node: ts.Node): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node))
    return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)];
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return literalsIn(node.expression);
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].flatMap(literalsIn);
  if (ts.isBinaryExpression(node)) {
    const isValue = /^(\?\?|\|\||&&|\+)$/.test(node.operatorToken.getText());
    return isValue ? [node.left, node.right].flatMap(literalsIn) : [];
  }
  return [];
}

function expressionIn(code: string): string[] {
  const file = ts.createSourceFile('expression.ts', `(${code})`, ts.ScriptTarget.Latest, true);
  return file.statements.flatMap((statement) =>
    ts.isExpressionStatement(statement) ? literalsIn(statement.expression) : [],
  );
}

/** Properties that people read, written as strings in a script. */
function rawInScript(code: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isNamed = ts.isPropertyAssignment(node) || ts.isPropertyDeclaration(node);
    if (isNamed && node.initializer && READ.test(node.name.getText().replace(/['"]/g, '')))
      found.push(...literalsIn(node.initializer));
    if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText()))
      found.push(...(node.arguments ?? []).flatMap(literalsIn).filter((text) => text.includes(' ')));
    if (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
      READ.test(node.left.getText().replace(/^.*\./, ''))
    )
      found.push(...literalsIn(node.right));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('script.ts', code, ts.ScriptTarget.Latest, true));
  return found.filter(hasWords);
}

/** Texts of the markup, attributes that people read, and strings in expressions between them. */
function rawInMarkup(source: string): string[] {
  const found: string[] = [];
  const codeOf = ({ expression }: AST.ExpressionTag) => {
    const { start, end } = expression as unknown as { start: number; end: number };
    return expressionIn(source.slice(start, end));
  };
  const valuesOf = (value: AST.Attribute['value']): string[] => {
    if (value === true) return [];
    return (Array.isArray(value) ? value : [value]).flatMap((part) =>
      part.type === 'Text' ? [part.data] : codeOf(part),
    );
  };
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const one = node as AST.Text | AST.Attribute | AST.ExpressionTag | AST.StyleDirective;
    if (one.type === 'Attribute') {
      if (READ.test(one.name)) found.push(...valuesOf(one.value));
      return;
    }
    // Of style and class: what is read there is read by browsers.
    if (/^(Style|Class|On|Attach)/.test(one.type)) return;
    if (one.type === 'Text') found.push(one.data);
    else if (one.type === 'ExpressionTag') found.push(...codeOf(one));
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseSvelte(source, { modern: true }).fragment);
  return found.filter(hasWords).map((text) => text.trim());
}

function rawIn(name: string, text: string): string[] {
  if (!name.endsWith('.svelte')) return rawInScript(text);
  const scripts = [...text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, code]) => code!);
  const styles = [...text.matchAll(/\bcontent: ['"]([^'"]*)['"]/g)].map(([, content]) => content!);
  return [...rawInMarkup(text), ...scripts.flatMap(rawInScript), ...styles.filter(hasWords)];
}

describe('words outside of messages/', () => {
  test.each([
    ['a text', 'A.svelte', '<p>Order book</p>', 'Order book'],
    ['a part of a text', 'A.svelte', '<p>{count} trades</p>', 'trades'],
    ['a label', 'A.svelte', '<button aria-label="Close">✕</button>', 'Close'],
    ['a part of a title', 'A.svelte', '<i title="Size {unit}"></i>', 'Size'],
    ['a property of a component', 'A.svelte', '<Panel label="Chart" />', 'Chart'],
    ['a choice', 'A.svelte', "<b>{isOpen ? 'Open' : m.closed()}</b>", 'Open'],
    ['a template', 'A.svelte', '<i title={`Size ${unit}`}></i>', 'Size'],
    ['a default', 'A.svelte', "<i title={problem ?? 'Nothing wrong'}></i>", 'Nothing wrong'],
    ['within a block', 'A.svelte', '{#if a}{#each b as c}<p>Deep</p>{/each}{/if}', 'Deep'],
    ['a script of a component', 'A.svelte', "<script>const a = { title: 'Last' };</script>", 'Last'],
    ['a style', 'A.svelte', "<style>p::before { content: 'Sort by'; }</style>", 'Sort by'],
    ['a menu', 'menu.ts', "export const menu = [{ label: 'Rows', options: [] }];", 'Rows'],
    ['a notice', 'state.ts', 'this.notice = `${name} is gone`;', 'is gone'],
    ['an error', 'state.ts', "throw new DepthwireError('internal', 'it went wrong');", 'it went wrong'],
  ])('%s is found', (_, name, source, word) => {
    expect(rawIn(name, source).map((text) => text.trim())).toEqual([word]);
  });

  test.each([
    ['messages', 'A.svelte', '<p title={m.close()}>{m.trades({ count })} ✕</p>'],
    ['signs and units', 'A.svelte', '<p>{bps} bps · –</p>'],
    [
      'classes and tests',
      'A.svelte',
      '<p class="order book" data-testid="book {a ? \'up\' : \'down\'}"></p>',
    ],
    ['comparisons', 'A.svelte', "<p>{side === 'buy' ? m.buy() : m.sell()}</p>"],
  ])('%s are none', (_, name, source) => {
    expect(rawIn(name, source)).toEqual([]);
  });

  test.each(sources.map(({ name, text }) => [name, text] as const))('%s has none', (name, text) => {
    expect(rawIn(name, text)).toEqual([]);
  });
});
