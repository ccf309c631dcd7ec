import { expect, it } from 'vitest';
import { parseCommand } from '../../core/parse-command.ts';

it.each([
  [['start'], { kind: 'start' }],
  [['migrations', 'bootstrap'], { kind: 'migrations', action: 'bootstrap' }],
  [['migrations', 'up'], { kind: 'migrations', action: 'up' }],
  [['migrations', 'finish'], { kind: 'migrations', action: 'finish' }],
  [['migrations', 'status'], { kind: 'migrations', action: 'status' }],
  [['--help'], { kind: 'help' }],
  [['start', '-h'], { kind: 'help' }],
  [['-v'], { kind: 'version' }],
])('understands %j', (args, command) => {
  expect(parseCommand(args)).toEqual(command);
});

it.each([
  [[], 'a command is missing'],
  [['stop'], 'unknown command: stop'],
  [['start', 'now'], 'unknown command: start now'],
  [['migrations'], 'migrations needs one of bootstrap, up, finish, status'],
  [['migrations', 'down'], 'migrations needs one of'],
  [['migrations', 'up', 'twice'], 'unknown command'],
  [['--nonsense'], "Unknown option '--nonsense'"],
])('says what is wrong with %j', (args, problem) => {
  expect(parseCommand(args)).toEqual({ kind: 'misuse', problem: expect.stringContaining(problem) });
});
