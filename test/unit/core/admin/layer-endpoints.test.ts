import { describe, expect, it } from 'vitest';
import { type AdminRequest, answerMessage } from '../../../../core/admin/admin-exchange.ts';
import { layerEndpoints } from '../../../../core/admin/layer-endpoints.ts';

const REQUEST: AdminRequest = {
  method: 'GET',
  captures: [],
  rawCaptures: [],
  query: [],
  input: { members: {}, isForm: false },
};

describe('an override', () => {
  const generated = [
    {
      template: '/a',
      methods: { GET: () => answerMessage(200, 'generated'), POST: () => answerMessage(201, 'kept') },
    },
  ];

  it('answers for its method and may call what was generated', async () => {
    const [endpoint] = layerEndpoints(generated, [
      {
        template: '/a',
        method: 'GET',
        wrap: (inner) => async (request) => ({ ...(await inner(request)), status: 299 }),
      },
    ]);
    expect(await endpoint?.methods.GET?.(REQUEST)).toMatchObject({ status: 299 });
    expect(await endpoint?.methods.POST?.(REQUEST)).toMatchObject({ status: 201 });
  });

  it.each([
    ['/b', 'GET'],
    ['/a', 'DELETE'],
  ] as const)('for what was not generated (%s %s) is a mistake', (template, method) => {
    expect(() => layerEndpoints(generated, [{ template, method, wrap: (inner) => inner }])).toThrow(
      `nothing generated for ${method} ${template}`,
    );
  });
});
