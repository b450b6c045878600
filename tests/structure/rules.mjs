// The rules as functions over text, so that each can be shown to fail.

/** Modules in rising order, from the one line of ARCHITECTURE.md that states it. */
export function moduleOrder(architecture) {
  const line = architecture.split('\n').find(each => /^base < runtime < .* < app$/.test(each));
  if (!line) throw new Error('ARCHITECTURE.md has no line "base < runtime < … < app"');
  return line.split(' < ');
}

const includes = text => [...text.matchAll(/^#include [<"]([^>"]+)[>"]/gm)].map(found => found[1]);
const moduleOf = file => /^src\/postrider\/([^/]+)\//.exec(file)?.[1];
const isTest = file => /_test\.cpp$|\/testing\//.test(file);

export function includeOrder(file, text, order) {
  const own = moduleOf(file);
  if (!own) return [];
  const mistakes = [];
  for (const included of includes(text)) {
    const other = /^postrider\/([^/]+)\//.exec(included)?.[1];
    if (included.startsWith('sim/') && !isTest(file)) mistakes.push(`src includes ${included}`);
    if (!other || other === own || isTest(file)) continue;
    if (included.includes('/internal/')) mistakes.push(`includes ${included}, which is internal`);
    const wrong = own === 'drivers' ? !['base', 'runtime', 'store'].includes(other)
      : other === 'drivers' ? !['api', 'app'].includes(own)
        : order.indexOf(other) > order.indexOf(own);
    if (wrong) mistakes.push(`${own} includes ${included}`);
  }
  return mistakes;
}

/** What only one kind of receiver needs stays in the module of that kind. */
export function kindsBelow(file, text, order) {
  const own = moduleOf(file);
  const isBelow = own === 'drivers' || (own && order.indexOf(own) < order.indexOf('matrix'));
  return isBelow && /matrix/i.test(text.replaceAll(/#include .*/g, '')) ? ['speaks of Matrix'] : [];
}

/** The modules that each one's target is linked to, from the files that say so. */
export function dependencies(cmakeFiles) {
  const found = new Map();
  for (const text of cmakeFiles) {
    for (const [, name, rest] of text.matchAll(/^postrider_module\((\w+)(?: DEPS ([^)]*))?\)/gm)) {
      found.set(name, (rest ?? '').split(/\s+/).filter(each => each.startsWith('postrider_'))
        .map(each => each.replace('postrider_', '')));
    }
  }
  return found;
}

/** A target must not see, through whatever lies between, what does not stand left of it. */
export function visibility(targets, order) {
  const seenBy = (name, seen = new Set()) => {
    for (const each of targets.get(name) ?? []) {
      if (!seen.has(each)) seenBy(each, seen.add(each));
    }
    return seen;
  };
  const place = name => name.startsWith('drivers_') ? 'drivers' : name;
  const mistakes = [];
  for (const name of targets.keys()) {
    const own = place(name);
    for (const seen of seenBy(name)) {
      const other = place(seen);
      if (other === 'asio' || other === own) continue;
      const wrong = own === 'drivers' ? !['base', 'runtime', 'store'].includes(other)
        : other === 'drivers' ? !['api', 'app'].includes(own)
          : order.indexOf(other) < 0 || order.indexOf(other) > order.indexOf(own);
      if (wrong) mistakes.push(`${name} sees ${seen}`);
    }
  }
  return mistakes;
}

const owners = [
  [/^boost\/beast/, /^src\/postrider\/api\/http\//],
  [/^boost\/asio/, /^src\/postrider\/(runtime|drivers|api|app)\/|^(sim|bench)\//],
  [/^libpq-fe\.h$/, /^src\/postrider\/drivers\/postgres\//],
  [/^hiredis\//, /^src\/postrider\/drivers\/bus\//],
  [/^sqlite3\.h$/, /^src\/postrider\/drivers\/sqlite\/|^(sim|bench)\//],
  [/^curl\//, /^src\/postrider\/drivers\/curl\//],
  [/^simdjson/, /^src\/postrider\/(stream|matrix|webhook|app)\//],
  [/^re2\//, /^(src\/postrider\/(sort|matrix)\/|fuzz\/pattern_)/],
  [/^yaml-cpp\//, /^src\/postrider\/app\//],
  [/^openssl\//, /^(src\/postrider\/(webhook|replication|api|app)|sim)\//],
  [/^CLI\//, /^(src\/postrider\/app\/cli\/command_line\.cpp|sim\/main\.cpp)$/],
  [/^spdlog\//, /^src\/postrider\/base\/log\.cpp$/],
];

export function thirdParty(file, text) {
  return includes(text).flatMap(included => owners
    .filter(([header, allowed]) => header.test(included) && !allowed.test(file) && !isTest(file))
    .map(() => `includes <${included}>, which another module owns`));
}

export function sizes(file, text) {
  const lines = text.split('\n');
  const limit = isTest(file) || file.endsWith('.mjs') ? 800 : file.endsWith('.hpp') ? 300 : 500;
  const mistakes = [];
  if (lines.length > limit) mistakes.push(`has ${lines.length} lines; ${limit} are allowed`);
  lines.forEach((line, index) => {
    if ([...line].length > 100) mistakes.push(`line ${index + 1} is over 100 columns`);
  });
  return mistakes;
}

/** A function at the start of a line, to the closing brace in the same column. What begins with the
 * last of several initialisers, or of several lines of a condition, ends in a column before. */
export function functionLengths(text) {
  const mistakes = [];
  const lines = text.split('\n');
  for (let begin = 0; begin < lines.length; begin += 1) {
    const indent = /^( *)(?!namespace|class|struct|enum|extern|union)\S.*\)[^;]*\{$/
      .exec(lines[begin])?.[1];
    if (indent === undefined || /^ *(if|for|while|switch|\} else)/.test(lines[begin])) continue;
    const isContinued = /[,|&(]$/.test(lines[begin - 1] ?? '');
    // The members that a constructor sets stand four columns behind its body's end.
    const outer = /^ *: /.test(lines[begin]) ? indent.slice(4) : indent;
    const closes = line => isContinued ? /^ *\}$/.test(line) && line.length <= indent.length
      : line.startsWith(`${outer}}`);
    const end = lines.findIndex((line, at) => at > begin && closes(line));
    if (end - begin > 61) mistakes.push(`line ${begin + 1}: a function of ${end - begin} lines`);
  }
  return mistakes;
}

const clocks = new RegExp('(steady|system)_clock::now|std::random_device|this_thread::sleep|' +
  'std::rand\\b|\\btime\\((nullptr|NULL|0)\\)');

export function clocksAndChance(file, text) {
  const allowed = /^src\/postrider\/(drivers\/asio|app)\/|^(sim|bench)\//.test(file) ||
    isTest(file);
  return !allowed && clocks.test(text) ? ['reads a clock or chance around the runtime'] : [];
}

const forbiddenForms = [
  [/co_await [\w.:>-]+\([^;()]*\b[A-Z]\w*\{/, 'an aggregate temporary after co_await'],
  [/co_await [\w.:>-]+\(\{/, 'braces after co_await'],
  [/co_await [\w.:>-]+\([^;]*\[[^\]]*[=\w][^\]]*\]\s*(\([^)]*\))?\s*(mutable )?\{/,
    'a capturing lambda after co_await'],
  [/switch \(co_await/, 'switch over co_await'],
  [/(if|while) \([^;{]*co_await [^;{]*[!=<>]=/, 'a comparison of what is awaited in a condition'],
  [/for \([^;)]*: *\(?\(?co_await/, 'range-for over co_await'],
  [/for \([^;]*: .*\)\.value\(\)[.)]/,
    'range-for over a part of a temporary, which is gone by then'],
  [/asio::detached/, 'asio::detached drops exceptions'],
  [/awaitable_operators/, 'awaitable_operators swallow exceptions'],
];

export function forms(text) {
  return forbiddenForms.filter(([form]) => form.test(text)).map(([, what]) => what);
}

export function words(file, text) {
  const mistakes = [];
  const left = /\b(TODO|FIXME|XXX|HACK)\b|GTEST_SKIP|DISABLED_/.exec(text);
  if (left) mistakes.push(`says ${left[0]}`);
  if (/\/(utils|helpers|common|misc|manager|types)\.[ch]pp$/.test(file)) {
    mistakes.push('is named after no subject');
  }
  return mistakes;
}

/** The names in the last column of the glossary. */
export function glossaryNames(architecture) {
  const glossary = architecture.split('\n## Glossary\n')[1]?.split('\n## ')[0] ?? '';
  return glossary.split('\n').filter(line => line.startsWith('| '))
    .flatMap(line => [...line.split('|').at(-2).matchAll(/`(\w+)`/g)].map(found => found[1]));
}

export function missingNames(names, texts) {
  return names.filter(name => !texts.some(text => new RegExp(`\\b${name}\\b`).test(text)));
}

export function pragmaOnce(file, text) {
  return file.endsWith('.hpp') && !text.startsWith('#pragma once') ? ['lacks #pragma once'] : [];
}
