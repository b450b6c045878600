import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import * as rules from './rules.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'],
  {cwd: root, encoding: 'utf8'}).trim().split('\n').filter(file =>
  existsSync(path.join(root, file)));
const read = file => readFileSync(path.join(root, file), 'utf8');
const sources = files.filter(file => /^(src|sim|bench|fuzz)\/.*\.[ch]pp$/.test(file));
const order = rules.moduleOrder(read('ARCHITECTURE.md'));

function check(title, candidates, rule) {
  test(title, () => {
    assert.ok(candidates.length > 0);
    const mistakes = candidates.flatMap(file => rule(file, read(file)).map(each =>
      `${file} ${each}`));
    assert.deepEqual(mistakes, []);
  });
}

check('includes follow the order of modules', sources,
  (file, text) => rules.includeOrder(file, text, order));
check('nothing below the module of a kind speaks of it', sources,
  (file, text) => rules.kindsBelow(file, text, order));
test('a target sees only what stands left of its module', () => {
  const targets = rules.dependencies(files.filter(file =>
    /^src\/postrider\/.*CMakeLists\.txt$/.test(file)).map(read));
  assert.deepEqual([...order].filter(name => !targets.has(name)), []);
  assert.deepEqual(rules.visibility(targets, order), []);
  assert.deepEqual([...targets.get('webhook'), ...targets.get('matrix')], ['delivery', 'delivery']);
  // Each module has a folder of its own in the include path, and no target has all of src there.
  const cmake = read('cmake/modules.cmake');
  assert.match(cmake, /target_include_directories\(postrider_\$\{name\} PUBLIC \$\{visible\}\)/);
  assert.doesNotMatch(cmake, /target_include_directories\([^)]*\/src/);
});
check('third-party headers stay with their owners', sources, rules.thirdParty);
check('files and lines keep their limits',
  [...sources, ...files.filter(file => /^(tests|bench)\/.*\.mjs$/.test(file))], rules.sizes);
check('functions keep their limit', sources, (_, text) => rules.functionLengths(text));
check('clocks and chance come through the runtime', sources, rules.clocksAndChance);
check('no form stands that g++ 12 miscompiles', sources,
  (_, text) => rules.forms(text));
check('nothing is left open, and files are named by subject', sources, rules.words);
check('headers are included once', sources, rules.pragmaOnce);
check('links between documents lead somewhere', files.filter(file => file.endsWith('.md')),
  (file, text) => [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(found => found[1])
    .filter(link => !existsSync(path.join(root, path.dirname(file), link)))
    .map(link => `links to ${link}, which is not there`));

test('the glossary names what is in the code', () => {
  const names = rules.glossaryNames(read('ARCHITECTURE.md'));
  assert.ok(names.length > 20);
  assert.deepEqual(rules.missingNames(names, sources.filter(file => file.startsWith('src/'))
    .map(read)), []);
});

test('every rule catches what it is for', () => {
  const some = mistakes => assert.ok(mistakes.length > 0);
  const store = 'src/postrider/store/x.cpp';
  some(rules.includeOrder(store, '#include "postrider/sort/y.hpp"', order));
  some(rules.includeOrder(store, '#include "postrider/drivers/sqlite/y.hpp"', order));
  some(rules.includeOrder(store, '#include "sim/world.hpp"', order));
  some(rules.includeOrder('src/postrider/drivers/x/y.cpp', '#include "postrider/sort/y.hpp"',
    order));
  some(rules.kindsBelow(store, '// Matrix'.concat(' events'), order));
  assert.deepEqual(rules.kindsBelow('src/postrider/engine/x.cpp', 'Matrix', order), []);
  some(rules.visibility(new Map([['base', ['store']]]), order));
  some(rules.visibility(new Map([['sort', ['x']], ['x', ['engine']], ['engine', []]]), order));
  some(rules.visibility(new Map([['stream', ['drivers_curl']]]), order));
  assert.deepEqual(rules.visibility(new Map([['api', ['drivers_asio', 'sort']]]), order), []);
  some(rules.thirdParty(store, '#include <sqlite3.h>'));
  some(rules.sizes(store, '\n'.repeat(501)));
  some(rules.sizes(store, 'x'.repeat(101)));
  some(rules.functionLengths(`void f() {\n${'  x();\n'.repeat(61)}}\n`));
  some(rules.functionLengths(`  A()\n      : a(1),\n        b(2) {\n${'x\n'.repeat(61)}  }\n`));
  some(rules.clocksAndChance(store, 'std::chrono::system_clock::now()'));
  some(rules.forms('co_await send(Request{1});'));
  some(rules.forms('co_await send({.url = u});'));
  some(rules.forms('co_await run([value] { return value; });'));
  some(rules.forms('switch (co_await f()) {'));
  some(rules.forms('if (co_await f(x) == Wake::notified) continue;'));
  some(rules.forms('for (auto& x : (co_await f()).value()) {'));
  some(rules.forms('for (const auto& x : read(a, b).value()) {'));
  some(rules.forms('for (const auto& x : read(a, b).value().rows) {'));
  some(rules.forms('co_spawn(e, f(), asio::detached);'));
  some(rules.words(store, '// TO' + 'DO: later'));
  some(rules.words('src/postrider/base/utils.hpp', ''));
  some(rules.missingNames(['Missing'], ['struct MissingToo;']));
  some(rules.pragmaOnce('a.hpp', '#ifndef A'));
  assert.deepEqual(rules.forms('co_await send(std::move(request), name, f(x));'), []);
});
