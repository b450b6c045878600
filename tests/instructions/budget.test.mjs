import assert from 'node:assert/strict';
import {test} from 'node:test';
import {accepted, complaint, readBudget} from './budget.mjs';
import {scenarios} from './scenarios.mjs';

const entry = {instructions: 1000, reason: 'the first count', countedOn: 'here'};

test('a count within 5 % of the budget is well', () => {
  for (const count of [950, 1000, 1050]) {
    assert.equal(complaint('append', entry, count, 'here'), undefined);
  }
});

test('a count that grew says by how much, and what to do', () => {
  const text = complaint('append', entry, 1051, 'here');
  assert.match(text, /"append" was 1000 instructions, and is 1051: 5\.1 % more/);
  assert.match(text, /make it cheaper, or accept it with a reason: .* --accept .* 'append'/);
  assert.doesNotMatch(text, /counted on/);
});

test('a count that fell asks for a lower figure', () => {
  const text = complaint('append', entry, 949, 'here');
  assert.match(text, /is 949: 5\.1 % fewer\nlower the figure, so that the gain is kept/);
});

test('a count from another platform says so', () => {
  assert.match(complaint('append', entry, 2000, 'there'),
    /it was counted on here\nand now on there$/);
  assert.equal(complaint('append', entry, 1000, 'there'), undefined);
});

test('a scenario without a figure, or a figure that is none, is not well', () => {
  assert.match(complaint('append', undefined, 7, 'here'), /"append" has no entry.* takes 7/);
  assert.match(complaint('append', entry, NaN, 'here'), /is NaN/);
});

test('accepting changes what was counted, and nothing else', () => {
  const budget = {append: entry, deliver: entry};
  assert.deepEqual(accepted(budget, {append: 2000}, 'a checksum for each fact', 'there'), {
    append: {instructions: 2000, reason: 'a checksum for each fact', countedOn: 'there'},
    deliver: entry,
  });
});

test('the budget has a figure and a reason for each scenario, and no others', () => {
  const budget = readBudget();
  assert.deepEqual(Object.keys(budget).sort(), Object.keys(scenarios).sort());
  for (const {instructions, reason} of Object.values(budget)) {
    assert.ok(Number.isInteger(instructions) && instructions > 0);
    assert.match(reason, /\w+ \w+/);
  }
});
