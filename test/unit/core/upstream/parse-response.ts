/**
 * Feeds bytes to a response parser in given pieces and writes down what it said. Used by the parser's tests.
 */
import type { ResponseHead } from '../../../../core/upstream/forward-request.ts';
import { type FeedResult, ResponseParser } from '../../../../core/upstream/response-parser.ts';

export interface ParsedResponse {
  readonly head: ResponseHead | undefined;
  readonly body: string;
  readonly result: FeedResult | 'complete by close' | 'closed early';
  readonly reason: string;
  readonly canReuse: boolean;
  /** Bytes left when the parser was done: on an idle connection they cost the connection. */
  readonly unread: number;
}

/** `cuts` are offsets at which the bytes are split. `close` says that the upstream closes behind them. */
export function parseResponse(
  bytes: string | Buffer,
  options: {
    cuts?: readonly number[];
    isHeadRequest?: boolean;
    mayUpgrade?: boolean;
    close?: boolean;
  } = {},
): ParsedResponse {
  const input = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  let head: ResponseHead | undefined;
  let headCount = 0;
  const pieces: Buffer[] = [];
  const parser = new ResponseParser({
    onResponseHead: (parsed) => {
      head = parsed;
      headCount++;
    },
    onResponseChunk: (chunk) => {
      if (chunk.length === 0) throw new Error('empty chunk');
      pieces.push(Buffer.from(chunk));
    },
  });
  parser.begin(options.isHeadRequest ?? false, options.mayUpgrade ?? false);

  const cuts = [...new Set(options.cuts ?? [])].filter((cut) => cut > 0 && cut < input.length);
  const offsets = [0, ...cuts.sort((a, b) => a - b), input.length];
  let result: ParsedResponse['result'] = 'more';
  let read = 0;
  for (let index = 0; index + 1 < offsets.length && result === 'more'; index++) {
    // As in a read buffer: the piece lies among bytes that do not belong to it.
    const piece = input.subarray(offsets[index], offsets[index + 1]);
    const buffer = Buffer.concat([Buffer.from('\r\n\r\n'), piece, Buffer.from('\r\n\r\nleft over\r\n\r\n')]);
    result = parser.feed(buffer, 4, 4 + piece.length);
    read += piece.length;
  }
  if (options.close && result === 'more') result = parser.finish() ? 'complete by close' : 'closed early';
  if (headCount > 1) throw new Error('more than one head');
  return {
    head,
    body: Buffer.concat(pieces).toString('latin1'),
    result,
    reason: parser.malformedReason,
    canReuse: parser.canReuse,
    unread: input.length - read,
  };
}
