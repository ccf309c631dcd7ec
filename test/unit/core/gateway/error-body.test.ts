import { describe, expect, it } from 'vitest';
import { type ErrorBodyInput, renderError } from '../../../../core/gateway/error-body.ts';

const INPUT: ErrorBodyInput = {
  status: 404,
  message: 'no Route matched with those values',
  class: 'A',
  accept: undefined,
  contentType: undefined,
  requestId: '0123456789abcdef0123456789abcdef',
  defaultType: 'text/plain',
};

const JSON_TYPE = 'application/json; charset=utf-8';
const PLAIN_TYPE = 'text/plain; charset=utf-8';
const HTML_TYPE = 'text/html; charset=utf-8';
const XML_TYPE = 'application/xml; charset=utf-8';

function typeFor(change: Partial<ErrorBodyInput>): string {
  return renderError({ ...INPUT, ...change }).contentType;
}

describe('renderError', () => {
  it('renders JSON indented by two spaces, without a final newline', () => {
    expect(renderError({ ...INPUT, accept: 'application/json' })).toEqual({
      contentType: JSON_TYPE,
      body:
        '{\n  "message":"no Route matched with those values",\n' +
        '  "request_id":"0123456789abcdef0123456789abcdef"\n}',
    });
  });

  it('renders plain text', () => {
    expect(renderError({ ...INPUT, accept: 'text/plain' })).toEqual({
      contentType: PLAIN_TYPE,
      body: 'no Route matched with those values\nrequest_id: 0123456789abcdef0123456789abcdef\n',
    });
  });

  it('renders HTML and adds a dot to the message', () => {
    const { contentType, body } = renderError({ ...INPUT, accept: 'text/html' });
    expect(contentType).toBe(HTML_TYPE);
    expect(body).toContain('<title>Error</title>');
    expect(body).toContain('<h1>Error</h1>');
    expect(body).toContain('<p>no Route matched with those values.</p>');
    expect(body).toContain('<p>request_id: 0123456789abcdef0123456789abcdef</p>');
  });

  it('renders XML with requestid in one word', () => {
    const { contentType, body } = renderError({ ...INPUT, accept: 'application/xml' });
    expect(contentType).toBe(XML_TYPE);
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

  it('has a message for a status that comes without', () => {
    const messageOf = (status: number) =>
      (JSON.parse(renderError({ ...INPUT, status, message: '' }).body) as { message: string }).message;
    expect(messageOf(401)).toBe('Unauthorized');
    expect(messageOf(429)).toBe('Too many requests');
    expect(messageOf(502)).toBe('An invalid response was received from the upstream server');
    expect(messageOf(599)).toBe('The upstream server responded with 599');
  });
});
