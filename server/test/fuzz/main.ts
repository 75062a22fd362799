import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

// npm run fuzz: a million hostile messages and requests, or as many as --messages says, to a server of its own.
const { values } = parseArgs({
  options: { messages: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
let told = 0;
const report = await fuzz({
  messages: Number(values.messages),
  seed: Number(values.seed),
  progress(messages) {
    if (messages - told < 50_000) return;
    told = messages;
    process.stderr.write(`${messages} messages\n`);
  },
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exitCode = report.problems.length > 0 || !report.bystander.isRight ? 1 : 0;
