import { expect, it } from 'vitest';
import { PLUGIN_USAGE, parseCommand } from '../../core/parse-command.ts';

it.each([
  [['start'], { kind: 'start' }],
  [['migrations', 'bootstrap'], { kind: 'migrations', action: 'bootstrap' }],
  [['migrations', 'up'], { kind: 'migrations', action: 'up' }],
  [['migrations', 'finish'], { kind: 'migrations', action: 'finish' }],
  [['migrations', 'status'], { kind: 'migrations', action: 'status' }],
  [['plugin', 'new', 'a'], { kind: 'plugin', authoring: { action: 'new', folder: 'a', name: undefined } }],
  [
    ['plugin', 'new', '--name', '@b/c', 'a'],
    { kind: 'plugin', authoring: { action: 'new', folder: 'a', name: '@b/c' } },
  ],
  [['plugin', 'test'], { kind: 'plugin', authoring: { action: 'test', folder: '.', skipsTypes: false } }],
  [
    ['plugin', 'dev', '--admin-url', 'http://b'],
    { kind: 'plugin', authoring: { action: 'dev', folder: '.', adminUrl: 'http://b' } },
  ],
  [
    ['plugin', 'build', 'a'],
    { kind: 'plugin', authoring: { action: 'build', folder: 'a', out: undefined, skipsTypes: false } },
  ],
  [
    ['plugin', 'pack', 'a', '--out', 'b'],
    { kind: 'plugin', authoring: { action: 'pack', folder: 'a', out: 'b', skipsTypes: false } },
  ],
  [['plugin', 'pack', '--help'], { kind: 'help', usage: PLUGIN_USAGE }],
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
  [['plugin'], 'plugin needs one of new, test, dev, build, pack, docs, publish, list, rollback, inspect'],
  [['plugin', 'fly', '--high'], 'plugin needs one of new'],
  [['plugin', 'new'], 'plugin new needs a folder'],
  [['plugin', 'test', 'a', 'b'], 'plugin test takes one folder'],
  [['plugin', 'dev', '--admin-url', 'there'], '--admin-url must be a URL'],
  [['plugin', 'inspect'], 'plugin inspect needs a file or folder'],
  [['plugin', 'list', 'a', 'b'], 'plugin list takes one argument'],
  [['plugin', 'test', '--out', 'a'], "Unknown option '--out'"],
  [['--nonsense'], "Unknown option '--nonsense'"],
])('says what is wrong with %j', (args, problem) => {
  expect(parseCommand(args)).toEqual({
    kind: 'misuse',
    problem: expect.stringContaining(problem),
    ...(args[0] === 'plugin' && { usage: PLUGIN_USAGE }),
  });
});
