/** Tries to put more than one line, or less than a name, into a head. Answers with what each attempt came to. */
import { definePlugin, s } from '@tollgate/sdk';

export default definePlugin({
  name: 'splitting',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),

  access(kong) {
    const values = ['a\rb', 'a\nb', 'a\r\nset-cookie: x', 'a\0b', {}, null, Symbol('s')];
    const names = ['', 'a b', 'a:', 'a\r\nb', 'a\nb', 'é', 'a'.repeat(300), null];
    const attempts: (() => unknown)[] = [
      ...values.flatMap((value) => [
        () => kong.response.setHeader('x-a', value as string),
        () => kong.response.addHeader('x-a', value as string),
        () => kong.service.request.setHeader('x-a', value as string),
        () => kong.service.request.addHeader('x-a', value as string),
      ]),
      ...names.flatMap((name) => [
        () => kong.response.setHeader(name as string, 'x'),
        () => kong.response.clearHeader(name as string),
        () => kong.service.request.setHeader(name as string, 'x'),
        () => kong.service.request.clearHeader(name as string),
      ]),
      () => kong.service.request.setMethod('GET / HTTP/1.1\r\n'),
      () => kong.service.request.setPath('/a b'),
      () => kong.service.request.setPath('/a\r\nb'),
      () => kong.service.request.setPath('a'),
      () => kong.service.request.setRawQuery('a\r\nb'),
      () => kong.service.request.setRawQuery('a\u010d\u010a'),
      () => kong.response.exit(200, '', { 'x-a': 'a\nb' }),
    ];
    const names_ = attempts.map((attempt) => {
      try {
        attempt();
        return 'accepted';
      } catch (error) {
        return (error as Error).name;
      }
    });
    return kong.response.exit(200, { errors: names_ });
  },
});
