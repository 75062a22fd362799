// npm test: install what is missing, run every check and suite, go on past failures, and add them up.
// npm test -- --only static|unit|e2e runs a part of it.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  ensureBuilt,
  ensureChromium,
  ensureDockerCompose,
  ensureInstalled,
  ensureNginx,
  ensurePostgres,
  ensureRedis,
  fail,
  npmCommand,
  root,
} from './setup.mjs';

const results = (name) => path.join(root, 'test-results', name);

/** Each step is an npm script, so that any of them can be run alone. */
const steps = [
  { kind: 'unit', script: 'test:unit', report: results('unit.json'), count: countVitest },
  { kind: 'static', script: 'lint' },
  { kind: 'static', script: 'types' },
  { kind: 'static', script: 'format:check' },
  { kind: 'static', script: 'imports' },
  { kind: 'static', script: 'unused' },
  { kind: 'static', script: 'size' },
  { kind: 'e2e', script: 'test:e2e', report: results('e2e.json'), count: countPlaywright },
];
steps[0].args = ['--', '--reporter=default', '--reporter=json', `--outputFile.json=${steps[0].report}`];

function countVitest(report) {
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function countPlaywright({ stats, suites }) {
  const { expected, unexpected, flaky, skipped } = stats;
  return {
    passed: expected + flaky,
    failed: unexpected,
    skipped,
    unsteady: flaky > 0 ? unsteadyIn(suites) : [],
  };
}

/** Names of the tests that failed, and passed when they were run again: each has something to be mended. */
function unsteadyIn(suites) {
  return suites.flatMap(({ specs = [], suites: inner = [] }) => [
    ...specs
      .filter(({ tests }) => tests.some(({ status }) => status === 'flaky'))
      .map(({ file, title }) => `${file}: ${title}`),
    ...unsteadyIn(inner),
  ]);
}

/** A static check counts as one test. A suite that fails outside its tests, or runs none, counts one failure. */
function countOf(step, exitCode) {
  if (!step.report) return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    counts = step.count(JSON.parse(readFileSync(step.report, 'utf8')));
  } catch {
    // No report: the suite did not get as far as its tests.
  }
  const ranNone = counts.passed + counts.failed === 0;
  if (counts.failed === 0 && (exitCode !== 0 || ranNone)) counts.failed = 1;
  return counts;
}

function runStep(step) {
  const started = Date.now();
  const { file, args, shell } = npmCommand(['run', '--silent', step.script, ...(step.args ?? [])]);
  if (step.report) rmSync(step.report, { force: true });
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1' };
    const child = spawn(file, args, { cwd: root, env, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    if (step.kind === 'static' && child.pid) os.setPriority(child.pid, os.constants.priority.PRIORITY_LOW);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.on('error', (error) => (output += `${error.message}\n`));
    child.on('close', (exitCode) => {
      const counts = countOf(step, exitCode);
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      const tests = step.report ? `  ${describe(counts)}` : '';
      const verdict = counts.failed > 0 ? 'failed' : 'ok';
      console.log(`${verdict.padEnd(6)}  ${step.script.padEnd(12)} ${seconds.padStart(6)} s${tests}`);
      if (counts.failed > 0) console.log(`\n${output.trimEnd()}\n`);
      for (const name of counts.unsteady ?? []) console.log(`        passed the second time only: ${name}`);
      resolve(counts);
    });
  });
}

async function runAll(queue, concurrency) {
  const counts = [];
  const worker = async () => {
    for (let step = queue.shift(); step; step = queue.shift()) counts.push(await runStep(step));
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return counts;
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

const { only } = parseArgs({ options: { only: { type: 'string' } }, strict: false }).values;
const chosen = steps.filter((step) => !only || step.kind === only);
if (chosen.length === 0) {
  fail(`There is no kind of test called "${only}".`, 'it is mistyped.', 'Choose one of: static, unit, e2e');
}

ensureInstalled();
if (only !== 'unit') ensureBuilt();
if (!only || only === 'e2e') ensureChromium();
if (!only || only === 'unit') {
  ensureNginx();
  ensureRedis();
  ensureDockerCompose();
  ensurePostgres();
}
mkdirSync(results('.'), { recursive: true });

// Unit and browser tests wait for real time to pass, so they are not run together. Static checks get what these leave of
// the processor: each of them waits a part of its time.
const tests = chosen.filter((step) => step.kind !== 'static');
const checks = chosen.filter((step) => step.kind === 'static');
const all = (await Promise.all([runAll(tests, 1), runAll(checks, tests.length > 0 ? 1 : 2)])).flat();
const sum = (key) => all.reduce((total, counts) => total + counts[key], 0);
const total = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
console.log(describe(total));
process.exitCode = total.failed > 0 ? 1 : 0;
