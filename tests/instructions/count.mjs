// Counts instructions by hand:
//   node tests/instructions/count.mjs [SCENARIO...]         beside the figures of the budget
//     --profile FOLDER    leaves what callgrind_annotate reads there, a folder for each scenario
//     --accept REASON     writes the counts of the scenarios named into the budget
import path from 'node:path';
import {parseArgs} from 'node:util';
import {printTable} from '../../bench/table.mjs';
import {binary} from '../e2e/harness.mjs';
import {accepted, platform, readBudget, writeBudget} from './budget.mjs';
import {count, scenarios} from './scenarios.mjs';

const {values, positionals: named} = parseArgs({allowPositionals: true,
  options: {profile: {type: 'string'}, accept: {type: 'string'}}});
const unknown = named.filter(name => !(name in scenarios));
if (unknown.length > 0 || (values.accept !== undefined && (!values.accept || !named.length))) {
  console.error(unknown.length > 0 ? `count.mjs: no scenario "${unknown[0]}"; there are`
    : 'count.mjs: --accept takes a reason and the names of scenarios, of');
  console.error(Object.keys(scenarios).map(name => `  ${name}`).join('\n'));
  process.exit(2);
}

const budget = readBudget();
const counts = {};
for (const name of named.length > 0 ? named : Object.keys(scenarios)) {
  const folder = values.profile && path.join(values.profile, name.replace(/\W+/g, '-'));
  counts[name] = await count(name, folder);
}
const rows = Object.entries(counts).map(([name, now]) => {
  const was = budget[name]?.instructions;
  return [name, now, was ?? '', was ? `${((now / was - 1) * 100).toFixed(1)} %` : ''];
});
printTable({title: 'Instructions', head: ['', 'now', 'budget', 'change'], rows});
if (values.accept) writeBudget(accepted(budget, counts, values.accept, platform(binary)));
