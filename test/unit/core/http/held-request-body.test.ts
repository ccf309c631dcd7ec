import { describe, expect, it } from 'vitest';
import { HeldRequestBody } from '../../../../core/http/held-request-body.ts';
import type { BodyReader } from '../../../../core/http/request-body.ts';

class Connection {
  isPaused = false;
  pauseReading(): void {
    this.isPaused = true;
  }
  resumeReading(): void {
    this.isPaused = false;
  }
}

function createBody(maxHeldBytes = 10, declaredLength?: number) {
  const connection = new Connection();
  const body = new HeldRequestBody(connection, declaredLength, maxHeldBytes);
  const receive = (text: string, isLast = false) => body.accept(Buffer.from(text), isLast);
  return { connection, body, receive };
}

function createReader(wantsMore: (text: string) => boolean = () => true) {
  const read = { text: '', hasEnded: false };
  const reader: BodyReader = {
    onChunk(chunk) {
      read.text += Buffer.from(chunk).toString();
      return wantsMore(read.text);
    },
    onEnd() {
      read.hasEnded = true;
    },
  };
  return { reader, read };
}

describe('a body nobody reads yet', () => {
  it('is held, and the client is paused once the memory for it is full', () => {
    const { body, connection, receive } = createBody(10);
    receive('12345');
    expect(connection.isPaused).toBe(false);
    receive('67890');
    expect(connection.isPaused).toBe(true);
    expect(body.canReplay).toBe(true);
    expect(body.bytesReceived).toBe(10);
  });

  it('does not pause a client that has sent everything', () => {
    const { body, connection, receive } = createBody(3);
    receive('12345', true);
    expect(connection.isPaused).toBe(false);
    expect(body.isComplete).toBe(true);
  });

  it('loses no byte beyond the limit', () => {
    const { body, receive } = createBody(3);
    receive('12345');
    receive('678');
    const { reader, read } = createReader();
    expect(body.startReading(reader)).toBe(true);
    expect(read.text).toBe('12345678');
  });
});

describe('a body that is read', () => {
  it('delivers what is held at once, then what comes, then the end', () => {
    const { body, receive } = createBody();
    receive('ab');
    const { reader, read } = createReader();
    body.startReading(reader);
    expect(read).toEqual({ text: 'ab', hasEnded: false });
    receive('cd');
    receive('', true);
    expect(read).toEqual({ text: 'abcd', hasEnded: true });
  });

  it('delivers a complete body and its end synchronously', () => {
    const { body, receive } = createBody();
    receive('abc', true);
    const { reader, read } = createReader();
    body.startReading(reader);
    expect(read).toEqual({ text: 'abc', hasEnded: true });
  });

  it('pauses the client when the reader wants no more, until it resumes', () => {
    const { body, connection, receive } = createBody();
    const { reader } = createReader(() => false);
    body.startReading(reader);
    receive('ab');
    expect(connection.isPaused).toBe(true);
    body.resume();
    expect(connection.isPaused).toBe(false);
  });

  it('resumes a client that was paused because nobody read', () => {
    const { body, connection, receive } = createBody(2);
    receive('abc');
    expect(connection.isPaused).toBe(true);
    body.startReading(createReader().reader);
    expect(connection.isPaused).toBe(false);
  });

  it('can be read again while it is held whole', () => {
    const { body, receive } = createBody(10);
    const first = createReader();
    body.startReading(first.reader);
    receive('abc');
    body.stopReading();
    receive('def', true);
    const second = createReader();
    expect(body.startReading(second.reader)).toBe(true);
    expect(first.read.text).toBe('abc');
    expect(second.read).toEqual({ text: 'abcdef', hasEnded: true });
  });

  it('cannot be read again once more has come than is held', () => {
    const { body, receive } = createBody(4);
    const first = createReader();
    body.startReading(first.reader);
    receive('abc');
    expect(body.canReplay).toBe(true);
    receive('def');
    expect(body.canReplay).toBe(false);
    const second = createReader();
    expect(body.startReading(second.reader)).toBe(false);
    expect(second.read).toEqual({ text: '', hasEnded: false });
    receive('', true);
    expect(first.read).toEqual({ text: 'abcdef', hasEnded: true });
  });

  it('feeds a reader no more when it gives up while it is being fed', () => {
    const { body, receive } = createBody();
    receive('ab');
    receive('cd', true);
    const { reader, read } = createReader((text) => {
      if (text === 'ab') body.stopReading();
      return true;
    });
    body.startReading(reader);
    expect(read).toEqual({ text: 'ab', hasEnded: false });
  });

  it('starts over for the reader that replaces another while it is being fed', () => {
    const { body, receive } = createBody();
    receive('ab');
    receive('cd', true);
    const second = createReader();
    const first = createReader((text) => {
      if (text === 'ab') body.startReading(second.reader);
      return true;
    });
    body.startReading(first.reader);
    expect(first.read).toEqual({ text: 'ab', hasEnded: false });
    expect(second.read).toEqual({ text: 'abcd', hasEnded: true });
  });
});

describe('a body read whole', () => {
  it('comes in one piece, whether it has arrived or not, and can be replayed', async () => {
    const { body, receive } = createBody(2);
    receive('ab');
    const whole = body.readWhole(100);
    receive('cd');
    receive('ef', true);
    expect(Buffer.from(await whole).toString()).toBe('abcdef');
    expect(Buffer.from(await body.readWhole(100)).toString()).toBe('abcdef');
    const { reader, read } = createReader();
    expect(body.startReading(reader)).toBe(true);
    expect(read.text).toBe('abcdef');
  });

  it('wakes a paused client', () => {
    const { body, connection, receive } = createBody(2);
    receive('abc');
    void body.readWhole(100);
    expect(connection.isPaused).toBe(false);
  });

  it('is refused as too large by its announced length, before anything has come', async () => {
    const { body } = createBody(10, 101);
    await expect(body.readWhole(100)).rejects.toMatchObject({ code: 'GW_BODY_TOO_LARGE' });
  });

  it('is refused as too large when more comes than allowed', async () => {
    const { body, receive } = createBody(10);
    const whole = body.readWhole(4);
    receive('abc');
    receive('def');
    await expect(whole).rejects.toMatchObject({ code: 'GW_BODY_TOO_LARGE' });
  });

  it('is refused when its beginning is gone', async () => {
    const { body, receive } = createBody(2);
    body.startReading(createReader().reader);
    receive('abc');
    await expect(body.readWhole(100)).rejects.toMatchObject({ code: 'GW_INTERNAL' });
  });

  it('can be replaced by other bytes, whose length then counts', async () => {
    const { body, receive } = createBody(100, 6);
    receive('secret', true);
    await body.readWhole(100);
    body.replace(Buffer.from('none'));
    expect(body.declaredLength).toBe(4);
    const { reader, read } = createReader();
    body.startReading(reader);
    expect(read).toEqual({ text: 'none', hasEnded: true });
    expect(body.bytesReceived).toBe(6);
  });
});

describe('a body that is discarded', () => {
  it('lets the client send the rest, keeps nothing and tells nobody', () => {
    const { body, connection, receive } = createBody(2);
    receive('abc');
    expect(connection.isPaused).toBe(true);
    body.discard();
    expect(connection.isPaused).toBe(false);
    receive('def', true);
    expect(body.isComplete).toBe(true);
    expect(body.startReading(createReader().reader)).toBe(false);
  });
});
