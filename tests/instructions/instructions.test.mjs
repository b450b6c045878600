// No scenario takes more instructions than its budget, nor so many fewer that the budget is stale.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {binary} from '../e2e/harness.mjs';
import {complaint, platform, readBudget} from './budget.mjs';
import {count, scenarios} from './scenarios.mjs';

const budget = readBudget();
const countedOn = platform(binary);

for (const name of Object.keys(scenarios)) {
  test(name, async t => {
    const instructions = await count(name);
    t.diagnostic(`${instructions} instructions`);
    const wrong = complaint(name, budget[name], instructions, countedOn);
    assert.ok(!wrong, wrong);
  });
}
