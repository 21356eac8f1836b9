import { describe, expect, it } from 'vitest';
import {
  completionAt,
  didYouMean,
  quoteValue,
  settled,
  stillMatches,
  tokenize,
  withFilter,
} from './grammar.ts';

describe('the search text', () => {
  it('splits into filters, words, quotes and operators', () => {
    const tokens = tokenize('!level:error "two words" OR (timesSeen:>100)');
    expect(tokens.map((token) => [token.kind, token.key, token.value, token.negated])).toEqual([
      ['filter', 'level', 'error', true],
      ['text', '', '"two words"', false],
      ['operator', '', 'OR', false],
      ['paren', '', '(', false],
      ['filter', 'timesSeen', '>100', false],
      ['paren', '', ')', false],
    ]);
  });

  it('covers every character that is not blank, whatever is typed', () => {
    for (const text of ['a:"', 'is:[a,"b', '!!', ':x', 'a:b:c ((', '"\\', 'tags[x y]:1']) {
      const covered = tokenize(text)
        .map((token) => text.slice(token.start, token.end))
        .join('');
      expect(covered.replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
    }
  });

  it('holds back what is still being typed', () => {
    const keys = ['level', 'is'];
    expect(settled('is:unresolved lev', 17, keys)).toBe('is:unresolved');
    expect(settled('is:unresolved level:', 20, keys)).toBe('is:unresolved');
    expect(settled('is:unresolved timeout', 21, keys)).toBe('is:unresolved timeout');
  });

  it('completes keys and values at the caret', () => {
    expect(completionAt('is:unresolved le', 16)).toMatchObject({ kind: 'key', prefix: 'le', from: 14 });
    expect(completionAt('level:er', 8)).toMatchObject({ kind: 'value', key: 'level', prefix: 'er', from: 6 });
  });

  it('quotes values so that they stay one value', () => {
    expect(quoteValue('a b')).toBe('"a b"');
    expect(quoteValue('say "hi"')).toBe('"say \\"hi\\""');
    expect(withFilter('is:new', 'os', 'Mac OS')).toBe('is:new os:"Mac OS"');
    expect(withFilter('os:"Mac OS"', 'os', 'Mac OS')).toBe('os:"Mac OS"');
  });

  it('offers a near key and nothing for a known one', () => {
    expect(didYouMean('levle', ['level', 'is'])).toBe('level');
    expect(didYouMean('level', ['level', 'is'])).toBeNull();
    expect(didYouMean('quantum', ['level', 'is'])).toBeNull();
  });

  it('says whether a changed issue still belongs to a list', () => {
    expect(stillMatches('is:unresolved', { status: 'resolved', substatus: null, assigned: false })).toBe(
      false,
    );
    expect(stillMatches('level:error', { status: 'resolved', substatus: null, assigned: false })).toBe(true);
  });
});
