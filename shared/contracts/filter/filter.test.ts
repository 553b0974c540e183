import { describe, expect, it } from 'vitest';
import { passesFilter } from './evaluate.ts';
import { FilterSyntaxError, parseFilter } from './parse.ts';

const EVENT = new Map<string, unknown>([
  ['specversion', '1.0'],
  ['source', 'my.source'],
  ['type', 'com.github.pull_request.opened'],
  ['subject', 'services/demo/hello'],
  ['project', 'demo'],
  ['sequence', 7],
  ['severity', '12'],
  ['hop', "it's"],
  ['ok', 'true'],
]);

describe('a filter in CloudEvents SQL', () => {
  it.each<[string, boolean]>([
    // The examples of the specification, § 1 and § 3, that need neither arithmetic nor functions.
    ["source = 'my.source'", true],
    ["type LIKE 'com.github.%'", true],
    ["subject IN ('services/demo/hello', 'b')", true],
    ["type LIKE 'com.github._%' AND NOT (EXISTS missing)", true],
    ["(hop = 'x') OR (sequence < 8)", true],
    ['EXISTS subject', true],
    ['EXISTS nothing', false],
    ['TRUE', true],
    ['false', false],
    ["'TRUE'", true],
    ['NOT TRUE', false],
    ['NOT NOT true', true],
    ['TRUE AND FALSE', false],
    ['TRUE OR FALSE AND FALSE', true],
    ['TRUE XOR TRUE', false],
    ['TRUE XOR FALSE', true],
    ["'abc' LIKE 'abc'", true],
    ["'ab' LIKE 'abc'", false],
    ["'abc' LIKE 'a%c'", true],
    ["'azbc' LIKE 'a_c'", false],
    ["'azc' LIKE 'a_c'", true],
    ["'a%c' LIKE 'a\\%c'", true],
    ["'abc' LIKE 'a\\%c'", false],
    ["'' LIKE '%'", true],
    ["'abc' NOT LIKE 'a%'", false],
    ["'abc' IN ('abc', 'bcd')", true],
    ["'aaa' IN ('abc', 'bcd')", false],
    ["'aaa' NOT IN ('abc', 'bcd')", true],
    ["1 IN ('1', '2')", true],
    ["sequence = '7'", true],
    ['sequence != 8', true],
    ['sequence <> 7', false],
    ['severity >= 12', true],
    ['severity < 12', false],
    ['ok = TRUE', true],
    ["ok = 'true'", true],
    ['-1 < 1', true],
    ["hop = 'it\\'s'", true],
    ['hop = "it\'s"', true],
    // What is not there, or no number, does not pass.
    ["missing = 'x'", false],
    ["missing != 'x'", false],
    ["NOT (missing = 'x')", false],
    ['type < 3', false],
    ['type', false],
    ["missing = 'x' OR project = 'demo'", true],
  ])('%s is %s', (text, passes) => {
    expect(passesFilter(parseFilter(text), EVENT)).toBe(passes);
  });

  it.each<[string, number, string]>([
    ['', 1, 'expected an attribute or a value, got the end'],
    ["source = 'x", 10, 'the string is not closed'],
    ["source == 'x'", 9, 'expected an attribute or a value, got ='],
    ["source = 'x' project", 14, 'expected AND, OR or the end, got project'],
    ["NOT source = 'x'", 12, 'put brackets around what NOT is about'],
    ['(TRUE', 6, 'expected “)”, got the end'],
    ['source LIKE 3', 13, 'expected a string after LIKE, got 3'],
    ["source IN 'x'", 11, 'expected “(”'],
    ['source NOT 3', 12, 'LIKE or IN after NOT'],
    ['LENGTH(source) > 3', 1, 'there is no function LENGTH'],
    ['source & 1', 8, 'unexpected &'],
    ['AND TRUE', 1, 'expected an attribute or a value, got AND'],
    ['99999999999 > 1', 1, '32 bits'],
    ['('.repeat(60), 51, 'nested deeper'],
    ['x'.repeat(1001), 1001, 'longer than 1000'],
  ])('%s is refused at character %i', (text, position, message) => {
    const refused = (() => {
      try {
        parseFilter(text);
      } catch (error) {
        if (error instanceof FilterSyntaxError) return error;
        throw error;
      }
      throw new Error('was taken');
    })();
    expect(refused.position).toBe(position);
    expect(refused.message).toContain(message);
  });

  it('a pattern that would make a naïve matcher go back for ever ends at once', () => {
    const pattern = parseFilter(`type LIKE '${'%a'.repeat(200)}b'`);
    expect(passesFilter(pattern, new Map([['type', 'a'.repeat(2_000)]]))).toBe(false);
  });
});
