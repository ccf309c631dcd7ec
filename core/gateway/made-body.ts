/** The body of a request that a plugin has given one: the client sent none. */
import type { BodyReader, RequestBody } from '../http/request-body.ts';

export class MadeBody implements RequestBody {
  readonly isComplete = true;
  readonly canReplay = true;
  /** Nothing of it came from the client. */
  readonly bytesReceived = 0;
  #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get declaredLength(): number {
    return this.#bytes.length;
  }

  startReading(reader: BodyReader): boolean {
    reader.onChunk(this.#bytes);
    reader.onEnd();
    return true;
  }

  resume(): void {}

  stopReading(): void {}

  async readWhole(): Promise<Uint8Array> {
    return this.#bytes;
  }

  replace(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }
}
