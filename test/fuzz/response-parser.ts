/**
 * What must hold for the answer of any upstream, however broken: the target of the coverage-guided run. The first byte
 * says how the rest is cut into reads and whether it answers a HEAD; a broken promise throws.
 */
import assert from 'node:assert/strict';
import { type ParsedResponse, parseResponse } from '../unit/core/upstream/parse-response.ts';

export function fuzz(data: Buffer): void {
  if (data.length < 2) return;
  const control = data[0] as number;
  const bytes = data.subarray(1);
  const isHeadRequest = (control & 1) === 1;
  const step = (control >> 1) + 1;
  const cuts = Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) => index * step);

  const whole = parseResponse(bytes, { isHeadRequest, close: true });
  const pieces = parseResponse(bytes, { isHeadRequest, close: true, cuts });

  if (whole.result === 'complete' || whole.result === 'complete by close') {
    const { head, body, canReuse } = whole;
    assert(head !== undefined, 'complete without a head');
    assert(head.status >= 200 && head.status <= 999, 'an interim response for the answer');
    if (!head.hasBody) assert.equal(body, '', 'a body where there is none');
    else if (head.bodyLength !== undefined)
      assert.equal(body.length, head.bodyLength, 'another length than announced');
    if (whole.result === 'complete by close') assert(!canReuse, 'a closed connection is kept');
    for (const text of head.headers) assert(!/[\r\n\0]/.test(text), 'a header that splits the head');
    // Read piece by piece the answer is the same, unless surplus bytes came too late to be held against it.
    assert.deepEqual(
      { head: pieces.head, body: pieces.body },
      { head, body },
      'another answer when it is read in pieces',
    );
    assert.equal(isKept(pieces), canReuse, 'kept in one way of reading and not in the other');
    return;
  }
  if (whole.result === 'malformed') assert(!whole.canReuse, 'a broken connection is kept');
  assert(!isKept(pieces), 'a broken connection is kept when it is read in pieces');
}

/** A connection is closed when its answer is cut short, and when it says something while it is idle. */
function isKept({ result, canReuse, unread }: ParsedResponse): boolean {
  return result === 'complete' && canReuse && unread === 0;
}
