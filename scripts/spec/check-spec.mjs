// Rules against tests. A rule is a table row of the specification whose first cell is its number; it is built when its last cell starts
// with "built". A test names rules at the head of its title or of its `describe`: 'A11: …', 'A17, C2: …'.

const ROW = /^\|\W*([ABC]\d+)\b.*\|([^|]*)\|\s*$/gm;
const RANGE = /\b([ABC])(\d+) to [ABC](\d+)\b/g;
const TITLE = /(?<=['"`])[ABC]\d+(?:, [ABC]\d+)*(?=: )/g;

/**
 * What is wrong between rules and tests, in sentences; and the rules that are built.
 * @param {string} spec the text of the specification
 * @param {ReadonlyMap<string, string>} tests source by path
 * @param {string} home where each built rule must have a test, such as `test/spec/`
 * @returns {{ readonly built: string[], readonly problems: string[] }}
 */
export function checkSpec(spec, tests, home) {
  const built = [...spec.matchAll(ROW)].filter(([, , state]) => /^\W*built\b/i.test(String(state))).map(([, rule]) => String(rule));
  const known = new Set(spec.match(/\b[ABC]\d+\b/g));
  for (const [, letter, first, last] of spec.matchAll(RANGE)) for (let n = Number(first); n <= Number(last); n++) known.add(`${letter}${n}`);
  const proven = new Set([...tests].flatMap(([path, source]) => (path.startsWith(home) ? namedBy(source) : [])));
  const untested = built.filter((rule) => !proven.has(rule)).map((rule) => `rule ${rule} is marked built, and no test under ${home} names it`);
  const unknown = [...tests].flatMap(([path, source]) =>
    namedBy(source).filter((rule) => !known.has(rule)).map((rule) => `${path} names rule ${rule}, which there is not`),
  );
  return { built, problems: [...untested, ...unknown] };
}

/** @param {string} source */
function namedBy(source) {
  return [...new Set((source.match(TITLE) ?? []).flatMap((rules) => rules.split(', ')))];
}
