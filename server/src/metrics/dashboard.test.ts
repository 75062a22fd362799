import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { emptyStats } from '@depthwire/feeds';
import { ScriptedFeed } from '../../test/markets.ts';
import { Registry } from 'prom-client';
import { scrape, Scrape } from '../../test/scrape.ts';
import { temporaryFolder } from '../../test/stores.ts';
import { BusFigures } from '../bus/bus-figures.ts';
import { addBusMetrics } from './bus-metrics.ts';
import { connect, serve } from '../../test/server.ts';

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

const file = (name: string) => readFileSync(new URL(`../../../deploy/${name}`, import.meta.url), 'utf8');
const dashboard = JSON.parse(file('grafana/depthwire.json')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; type: string; definition?: string }[] };
};
const rules = parseYaml(file('prometheus/depthwire.rules.yml')) as {
  readonly groups: { readonly rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
};
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const alerts = rules.groups.flatMap((group) => group.rules);
/** Labels and metrics that Prometheus adds by itself. */
const ofPrometheus = ['instance', 'job', 'up'];

/** What an expression names. Grafana's variables stand where a duration or a text may. */
function namesIn(expression: string): { metrics: string[]; labels: string[] } {
  const text = expression.replaceAll('$__rate_interval', '5m');
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to, node }) {
      const found = text.slice(from, to);
      if (type.isError) throw new Error(`${expression}: not PromQL at ${from}: ${found}`);
      if (type.name === 'Identifier' && node.parent?.name === 'VectorSelector') metrics.push(found);
      if (type.name === 'LabelName') labels.push(found);
    },
  });
  return { metrics, labels };
}

/** A scrape of a server of which everything was used. */
async function fullScrape(): Promise<Scrape> {
  const feed = Object.assign(new ScriptedFeed(), { stats: emptyStats, reconnects: () => 0 });
  const history = { store: 'sqlite', path: join(await temporaryFolder(), 'history.db') };
  const { url, ws } = await serve({ gateway: { maxConnections: 1 }, history }, feed);
  const client = await connect(ws);
  client.send({ op: 'ping', id: 1 });
  await (await connect(ws)).end();
  client.socket.close();
  await client.end();
  await scrape(url);
  const bus = new Registry();
  const ofSeveral = { feed: 'sim', leader: null, epoch: 1, silentLanes: 0 };
  addBusMetrics(bus, new BusFigures(), () => ({ name: 'one', connected: true, feeds: [ofSeveral] }));
  const response = await fetch(`${url}/metrics`);
  return new Scrape(`${await response.text()}\n${await bus.metrics()}`);
}

const hasMetric = ({ types }: Scrape, name: string): boolean =>
  types.has(name) || types.get(name.replace(/_(?:bucket|sum|count)$/, '')) === 'histogram';

describe('the Grafana dashboard', () => {
  test.each(panels)('$title: has a unit, says what it shows, and asks the chosen data source', (panel) => {
    expect(panel.title).not.toBe('');
    expect(panel.description).toMatch(/\.$/);
    expect(panel.fieldConfig?.defaults.unit).toBeTruthy();
    expect(panel.targets!.length).toBeGreaterThan(0);
    for (const { datasource, expr } of panel.targets!) {
      expect(datasource.uid).toBe('${datasource}');
      expect(expr).toContain('instance=~"$instance"');
    }
  });

  test('names only metrics and labels that a server has', async () => {
    const found = await fullScrape();
    const known = new Set([...ofPrometheus, ...found.series.flatMap(({ labels }) => Object.keys(labels))]);
    const expressions = panels.flatMap(({ targets }) => targets!.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(30);
    for (const expression of expressions) {
      const { metrics, labels } = namesIn(expression);
      expect(metrics, expression).not.toEqual([]);
      expect(metrics.filter((name) => !hasMetric(found, name))).toEqual([]);
      expect(labels.filter((label) => !known.has(label))).toEqual([]);
    }
  });

  test('has titles that differ, and its variables', () => {
    const titles = dashboard.panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(dashboard.templating.list).toMatchObject([
      { name: 'datasource', type: 'datasource' },
      { name: 'instance', type: 'query', definition: 'label_values(depthwire_build_info, instance)' },
    ]);
  });
});

describe('the alerts', () => {
  test('name only metrics and labels that a server has, and say what is wrong', async () => {
    const found = await fullScrape();
    const known = new Set([...ofPrometheus, ...found.series.flatMap(({ labels }) => Object.keys(labels))]);
    expect(alerts.length).toBeGreaterThan(5);
    for (const { alert, expr, annotations } of alerts) {
      const { metrics, labels } = namesIn(expr);
      expect(metrics, alert).not.toEqual([]);
      expect(metrics.filter((name) => !ofPrometheus.includes(name) && !hasMetric(found, name))).toEqual([]);
      expect(labels.filter((label) => !known.has(label))).toEqual([]);
      expect(annotations.summary).not.toBe('');
    }
  });

  test('are told in docs/operating.md', () => {
    const operating = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
    const told = [...operating.matchAll(/^\| `(Depthwire\w+)`/gm)].map(([, name]) => name);
    expect(told).toEqual(alerts.map(({ alert }) => alert));
  });
});

test('an expression that is no PromQL, or names what is not there, is found', async () => {
  expect(() => namesIn('rate(depthwire_connections[5m]')).toThrow('not PromQL');
  const { metrics, labels } = namesIn('sum by (colour) (rate(made_up_total{shade="x"}[$__rate_interval]))');
  expect([metrics, labels]).toEqual([['made_up_total'], ['colour', 'shade']]);
  expect(hasMetric(await fullScrape(), 'made_up_total')).toBe(false);
});
