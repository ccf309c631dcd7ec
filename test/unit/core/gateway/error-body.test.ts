import { describe, expect, it } from 'vitest';
import { type ErrorBodyInput, renderError } from '../../../../core/gateway/error-body.ts';

const INPUT: ErrorBodyInput = {
  status: 404,
  message: 'no Route matched with those values',
  class: 'A',
  accept: undefined,
  contentType: undefined,
  isGrpc: false,
  templates: {},
  requestId: '0123456789abcdef0123456789abcdef',
  defaultType: 'text/plain',
};

const JSON_TYPE = 'application/json; charset=utf-8';
const PLAIN_TYPE = 'text/plain; charset=utf-8';
const HTML_TYPE = 'text/html; charset=utf-8';
const XML_TYPE = 'application/xml; charset=utf-8';

function typeFor(change: Partial<ErrorBodyInput>): string | undefined {
  return renderError({ ...INPUT, ...change }).headers[1];
}

describe('renderError', () => {
  it('renders JSON indented by two spaces, without a final newline', () => {
    expect(renderError({ ...INPUT, accept: 'application/json' })).toEqual({
      headers: ['Content-Type', JSON_TYPE],
      body:
        '{\n  "message":"no Route matched with those values",\n' +
        '  "request_id":"0123456789abcdef0123456789abcdef"\n}',
    });
  });

  it('renders plain text', () => {
    expect(renderError({ ...INPUT, accept: 'text/plain' })).toEqual({
      headers: ['Content-Type', PLAIN_TYPE],
      body: 'no Route matched with those values\nrequest_id: 0123456789abcdef0123456789abcdef\n',
    });
  });

  it('renders HTML and adds a dot to the message', () => {
    const { headers, body } = renderError({ ...INPUT, accept: 'text/html' });
    expect(headers[1]).toBe(HTML_TYPE);
    expect(body).toContain('<title>Error</title>');
    expect(body).toContain('<h1>Error</h1>');
    expect(body).toContain('<p>no Route matched with those values.</p>');
    expect(body).toContain('<p>request_id: 0123456789abcdef0123456789abcdef</p>');
  });

  it('renders XML with requestid in one word', () => {
    const { headers, body } = renderError({ ...INPUT, accept: 'application/xml' });
    expect(headers[1]).toBe(XML_TYPE);
    expect(body).toContain('<message>no Route matched with those values</message>');
    expect(body).toContain('<requestid>0123456789abcdef0123456789abcdef</requestid>');
  });

  it('escapes the message for its format', () => {
    const message = `<b>"x" & 'y'</b>`;
    expect(JSON.parse(renderError({ ...INPUT, message }).body)).toMatchObject({ message });
    for (const accept of ['text/html', 'application/xml']) {
      const { body } = renderError({ ...INPUT, message, accept });
      expect(body).toContain('&lt;b&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/b&gt;');
    }
    expect(renderError({ ...INPUT, message, accept: 'text/plain' }).body).toContain(message);
  });

  it('takes the type of highest quality, the first of equals', () => {
    expect(typeFor({ accept: 'text/html;q=0.5, application/xml;q=0.9, text/plain;q=0.1' })).toBe(XML_TYPE);
    expect(typeFor({ accept: 'text/html, application/xml' })).toBe(HTML_TYPE);
    expect(typeFor({ accept: 'text/html; level=1; Q=0.2, Text/Plain' })).toBe(PLAIN_TYPE);
    expect(typeFor({ accept: 'text/html;q=0, text/plain;q=0.001' })).toBe(PLAIN_TYPE);
  });

  it('takes wildcards and everything unknown for JSON, except text/*', () => {
    for (const accept of [
      '*/*',
      'application/*',
      'image/png',
      'nonsense',
      '',
      'text/html;q=0',
      'text/html;q=x',
    ]) {
      expect(typeFor({ accept })).toBe(JSON_TYPE);
    }
    expect(typeFor({ accept: 'text/*' })).toBe(PLAIN_TYPE);
  });

  it('renders class A as JSON without Accept', () => {
    expect(typeFor({ contentType: 'text/html' })).toBe(JSON_TYPE);
  });

  it('renders class B without Accept by the request’s Content-Type, else by the default type', () => {
    expect(typeFor({ class: 'B' })).toBe(PLAIN_TYPE);
    expect(typeFor({ class: 'B', defaultType: 'application/xml' })).toBe(XML_TYPE);
    expect(typeFor({ class: 'B', contentType: 'text/html; charset=utf-8' })).toBe(HTML_TYPE);
    expect(typeFor({ class: 'B', contentType: 'text/html', accept: 'application/xml' })).toBe(XML_TYPE);
  });

  it('tells a gRPC client by headers, with its own numbers of statuses', () => {
    const isGrpc = true;
    expect(renderError({ ...INPUT, isGrpc, accept: 'text/html' })).toEqual({
      headers: ['grpc-status', '5', 'grpc-message', 'no Route matched with those values'],
      body: '',
    });
    const statusOf = (status: number) => renderError({ ...INPUT, isGrpc, status }).headers[1];
    expect([400, 401, 403, 409, 429, 499, 418, 500, 501, 502, 503, 504].map(statusOf)).toEqual([
      '3',
      '16',
      '7',
      '6',
      '8',
      '1',
      '3',
      '13',
      '12',
      '13',
      '14',
      '4',
    ]);
    expect(renderError({ ...INPUT, isGrpc, message: '100 %, čas\n' }).headers[3]).toBe(
      '100 %25, %C4%8Das%0A',
    );
  });

  it('takes the word of Accept or Content-Type for gRPC in class B, and the protocol’s in class A', () => {
    const classB = { ...INPUT, class: 'B', status: 502 } as const;
    for (const given of [{ accept: 'application/grpc+proto' }, { contentType: 'application/grpc' }]) {
      expect(renderError({ ...classB, ...given }).headers[0]).toBe('grpc-status');
      expect(renderError({ ...INPUT, ...given }).headers).toEqual(['Content-Type', JSON_TYPE]);
    }
    expect(renderError({ ...classB, isGrpc: true, accept: 'text/html' }).headers[1]).toBe(HTML_TYPE);
  });

  it('fills in a template, with the message escaped for its format', () => {
    const templates = { html: '<i>%s</i> (%s) 100%', json: '{"error":"%s","id":"%s"}' };
    const message = 'a "b" <c>';
    expect(renderError({ ...INPUT, templates, message, accept: 'text/html' }).body).toBe(
      `<i>a &quot;b&quot; &lt;c&gt;</i> (${INPUT.requestId}) 100%`,
    );
    expect(JSON.parse(renderError({ ...INPUT, templates, message }).body)).toEqual({
      error: message,
      id: INPUT.requestId,
    });
    expect(renderError({ ...INPUT, templates, message: '%s', accept: 'text/html' }).body).toContain('%s');
    expect(renderError({ ...INPUT, templates, accept: 'text/plain' }).body).toContain('request_id: ');
  });

  it('has a message for a status that comes without', () => {
    const messageOf = (status: number) =>
      (JSON.parse(renderError({ ...INPUT, status, message: '' }).body) as { message: string }).message;
    expect(messageOf(401)).toBe('Unauthorized');
    expect(messageOf(429)).toBe('Too many requests');
    expect(messageOf(502)).toBe('An invalid response was received from the upstream server');
    expect(messageOf(599)).toBe('The upstream server responded with 599');
  });
});
