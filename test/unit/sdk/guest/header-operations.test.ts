import { describe, expect, it } from 'vitest';
import { applyOperations, listTouched, recordOperation } from '../../../../sdk/guest/header-operations.ts';

describe('recorded operations', () => {
  const original = () => ['old'];
  it.each([
    [[], undefined],
    [['s', 'Other', '1'], undefined],
    [['s', 'X-Key', '1'], ['1']],
    [
      ['a', 'x-key', '1'],
      ['old', '1'],
    ],
    [
      ['s', 'x-key', '1', 'a', 'X-KEY', '2'],
      ['1', '2'],
    ],
    [['a', 'x-key', '1', 's', 'x-key', '2'], ['2']],
    [['r', 'X-Key', ''], []],
    [['r', 'x_key', ''], []],
    [['r', 'x-key', '', 'a', 'x-key', '1'], ['1']],
  ] as const)('%j leave %j', (parts, expected) => {
    expect(applyOperations(parts.join('\0'), 'x-key', original)).toEqual(expected);
  });

  it('are read back as they were recorded', () => {
    const recorded = recordOperation(recordOperation('', 's', 'X-A', ''), 'r', 'x-b', '');
    expect(recorded.split('\0')).toEqual(['s', 'X-A', '', 'r', 'x-b', '']);
    expect(listTouched(recorded)).toEqual(['x-a', 'x-b']);
    expect(listTouched('')).toEqual([]);
  });
});
